"""Topics on the broker: makes those that are missing, compares the rest with what is declared (`headrace topics`)."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    BrokerResponseError,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from app.adapters.kafka.connecting import client_options
from app.adapters.kafka.reachability import unreachable
from app.adapters.kafka.replication import Replication, TopicState, shortcomings
from app.domain.errors import HeadraceError
from app.domain.kafka_connection import KafkaConnection
from app.topics import TopicSpec

_ANSWER_WITHIN_S: Final = 7.0
_VISIBLE_WITHIN_S: Final = 15.0
_REQUEST_MS: Final = 15_000
_LOOK_AGAIN_S: Final = 0.05


class TopicError(HeadraceError):
    """The broker refused a topic; the text names it and the broker's reason."""


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What ``ensure_topics`` found and did.

    Attributes:
        created: Topics that were missing.
        grown: Topics that got partitions.
        short: Topics with fewer partitions than declared: name to (there, declared).
        differing: What is not as declared, or falls short of what the cluster could do, one line each.
        total: How many topics are declared.
        replication: Copies that new topics are made with.
    """

    created: list[str] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)
    short: dict[str, tuple[int, int]] = field(default_factory=dict)
    differing: list[str] = field(default_factory=list)
    total: int = 0
    replication: Replication | None = None

    @property
    def restart_needed(self) -> bool:
        """Whether running roles must be restarted to see what was made (docs/design.md#35-group-settings)."""
        return bool(self.created or self.grown)


async def ensure_topics(
    connection: KafkaConnection, specs: Iterable[TopicSpec], *, replication_factor: int, add_partitions: bool = False
) -> TopicReport:
    """Make every missing topic and compare the others; with ``add_partitions`` also grow those that are short.

    Never shrinks, deletes or changes the config of what is there. Adding partitions moves keys to other partitions, so
    the order of one entity's events is lost once, at that moment.

    Args:
        connection: Where Kafka is and how it lets us in.
        specs: Every topic as it should be.
        replication_factor: Copies of new topics; 0: three, or as many as there are brokers.
        add_partitions: Grow topics that are short.

    Raises:
        UnreachableError: No broker answered within 8 seconds.
        TopicError: The broker refused a topic.
        SettingsError: There are fewer brokers than copies asked for.
    """
    wanted = {spec.name: spec for spec in specs}
    async with _admin(connection) as admin:
        brokers = len((await admin.describe_cluster())["brokers"])
        replication = Replication.of(brokers, replication_factor)
        there = await _partitions(admin)
        missing = [spec for name, spec in wanted.items() if name not in there]
        short = {
            name: (there[name], spec.partitions)
            for name, spec in wanted.items()
            if there.get(name, spec.partitions) < spec.partitions
        }
        await _create(admin, missing, replication)
        if add_partitions and short:
            await _grow(admin, {name: declared for name, (_, declared) in short.items()})
        grown = list(short) if add_partitions else []
        await _await_visible(admin, [*missing, *(wanted[name] for name in grown)])
        differing = await _differing(admin, [spec for name, spec in wanted.items() if name in there], replication)
    created = [spec.name for spec in missing]
    return TopicReport(created, grown, {} if add_partitions else short, differing, len(wanted), replication)


@asynccontextmanager
async def _admin(connection: KafkaConnection) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(request_timeout_ms=_REQUEST_MS, **client_options(connection))
    try:
        try:
            await asyncio.wait_for(admin.start(), _ANSWER_WITHIN_S)
        except (KafkaError, TimeoutError, OSError) as error:
            raise await unreachable(connection, error) from error
        try:
            yield admin
        except (KafkaError, TimeoutError) as error:
            raise await unreachable(connection, error) from error
    finally:
        await admin.close()


async def _partitions(admin: AIOKafkaAdminClient) -> dict[str, int]:
    # Of all topics: asking by name may make a broker create it.
    return {
        topic["topic"]: sum(1 for partition in topic["partitions"] if partition["leader"] >= 0)
        for topic in await admin.describe_topics(None)
        if not topic["error_code"]
    }


async def _create(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec], copies: Replication) -> None:
    if not specs:
        return
    answer = await admin.create_topics(
        [
            NewTopic(spec.name, spec.partitions, copies.factor, topic_configs={**copies.config, **spec.config})
            for spec in specs
        ]
    )
    for name, code, message in answer.topic_errors:
        if code and code != TopicAlreadyExistsError.errno:  # another process may be at it too
            raise TopicError(f"{name}: {message or for_code(code).__name__}{_hint(code)}")


def _hint(code: int) -> str:
    denied = code == TopicAuthorizationFailedError.errno
    return "; `headrace topics --acls` prints what whoever makes topics needs" if denied else ""


async def _grow(admin: AIOKafkaAdminClient, counts: Mapping[str, int]) -> None:
    try:
        await admin.create_partitions({name: NewPartitions(count) for name, count in counts.items()})
    except BrokerResponseError as error:
        raise TopicError(str(error)) from error


async def _await_visible(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> None:
    """Wait until every partition has a leader, so that a process that starts next does not find half of them."""
    deadline = monotonic() + _VISIBLE_WITHIN_S
    while specs:
        there = await _partitions(admin)
        waiting = [spec.name for spec in specs if there.get(spec.name, 0) < spec.partitions]
        if not waiting:
            return
        if monotonic() > deadline:
            raise TopicError(f"no leader after {_VISIBLE_WITHIN_S:.0f} s: {', '.join(waiting)}")
        await asyncio.sleep(_LOOK_AGAIN_S)


async def _differing(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec], replication: Replication) -> list[str]:
    if not specs:
        return []
    config = await _configs(admin, specs, replication.config)
    replicas = await _replicas(admin)
    states = [
        (spec, TopicState(replicas.get(spec.name, 0), there))
        for spec in specs
        if (there := config.get(spec.name)) is not None
    ]
    hidden = len(specs) - len(states)
    unseen = [f"the settings of {hidden} topics may not be looked at (DescribeConfigs)"] if hidden else []
    return [*unseen, *(line for spec, state in states for line in shortcomings(spec, state, replication))]


async def _configs(
    admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec], beside: Iterable[str]
) -> dict[str, dict[str, str | None]]:
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, spec.name, dict.fromkeys([*spec.config, *beside], ""))
        for spec in specs
    ]
    return {
        name: {entry[0]: entry[1] for entry in settings}
        for answer in await admin.describe_configs(resources)
        for code, _message, _type, name, settings in answer.resources
        if not code
    }


async def _replicas(admin: AIOKafkaAdminClient) -> dict[str, int]:
    return {
        topic["topic"]: min(len(partition["replicas"]) for partition in topic["partitions"])
        for topic in await admin.describe_topics(None)
        if topic["partitions"] and not topic["error_code"]
    }
