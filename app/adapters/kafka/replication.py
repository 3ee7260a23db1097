"""How many copies of each topic there are to be, and what is wrong with a topic that is there. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from app.domain.errors import SettingsError
from app.topics import TopicSpec

# What Kafka's own documentation and the managed services take: one broker may be down for maintenance and another fail.
_COPIES: Final = 3
_MIN_INSYNC: Final = "min.insync.replicas"
_RETENTION: Final = "retention.ms"


@dataclass(frozen=True, slots=True)
class Replication:
    """Copies of a topic.

    Attributes:
        brokers: How many there are.
        factor: Copies of each partition.
        min_insync: So many must have a record before its sender is told that it is safe.
    """

    brokers: int
    factor: int
    min_insync: int

    @classmethod
    def of(cls, brokers: int, asked: int) -> Self:
        """Choose for a cluster; ``asked`` is the setting, 0 where the cluster decides.

        With two copies one is enough: if both had to have each record, one broker's restart would stop everything.

        Raises:
            SettingsError: There are fewer brokers than copies asked for.
        """
        if asked > brokers:
            there = "1 broker" if brokers == 1 else f"{brokers} brokers"
            raise SettingsError(
                f"HEADRACE_REPLICATION_FACTOR is {asked}, and Kafka has {there}: add brokers, lower it, or unset it"
            )
        factor = asked or min(_COPIES, max(brokers, 1))
        return cls(brokers, factor, 2 if factor >= _COPIES else 1)

    @property
    def config(self) -> dict[str, str]:
        """What a new topic is made with."""
        return {_MIN_INSYNC: str(self.min_insync)}

    def __str__(self) -> str:
        """Return it in words."""
        if self.factor == 1:
            lost = "what a broker holds is lost with its disk"
            return f"1 copy of each, on {_counted(self.brokers, 'broker')}: {lost}"
        return (
            f"{self.factor} copies of each, on {self.brokers} brokers; "
            f"{_MIN_INSYNC}={self.min_insync} must have a record before it counts"
        )


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as it is: ``replicas`` is the fewest that a partition has."""

    replicas: int
    config: Mapping[str, str | None]


def shortcomings(spec: TopicSpec, state: TopicState, wanted: Replication) -> Iterator[str]:
    """Yield what is wrong with a topic that is there, but for its partitions, and what that costs."""
    if state.replicas < wanted.factor:
        yield (
            f"{spec.name}: {_counted(state.replicas, 'copy')}, {wanted.factor} wanted; "
            "kafka-reassign-partitions.sh adds them"
        )
    yield from _in_sync(spec, state, wanted)
    for key, declared in spec.config.items():
        there = state.config.get(key)
        if there != declared:
            yield f"{spec.name}: {key} is {there}, declared {declared}{_cost(key, there, declared)}"


def _in_sync(spec: TopicSpec, state: TopicState, wanted: Replication) -> Iterator[str]:
    said = state.config.get(_MIN_INSYNC)
    if said is None or not said.isdigit():
        return
    least = int(said)
    if least > state.replicas:
        there = _counted(state.replicas, "copy")
        yield f"{spec.name}: {_MIN_INSYNC} is {least}, and there is {there}: nothing can be written to it"
    elif least < min(wanted.min_insync, state.replicas):
        yield (
            f"{spec.name}: {_MIN_INSYNC} is {least}, {wanted.min_insync} wanted: a record that one broker alone has "
            "counts as safe, and is lost with it"
        )


def _cost(key: str, there: str | None, declared: str) -> str:
    if key == "cleanup.policy" and there is not None:
        compacted = ": all but the newest record of an entity are thrown away"
        return compacted if "compact" in there and declared == "delete" else ": a workflow's record goes with age"
    if key != _RETENTION or there is None:
        return ""
    if there == "-1" or int(there) > int(declared):
        return ": a record that is read after its receipt is gone would be acted on twice"
    return ": what is not read in that time, such as during an outage, is lost"


def _counted(number: int, noun: str) -> str:
    plural = "copies" if noun == "copy" else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
