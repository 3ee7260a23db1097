"""Every topic, declared once: names, partitions, retention (docs/design.md#1-flow)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from app.settings import Settings
from schemas.event_types import EVENT_GROUPS, event_group, is_own_type

LANES: Final = ("normal", "high")
# Reads what is to wait for its owner's quota: the role that delays executions, and has little else to do.
OVER_QUOTA_ROLE: Final = "executor-workflow"
MAX_RECORD_BYTES: Final = 1024 * 1024
RETENTION: Final = timedelta(days=7)
# What the database writes for the matchers' table: it does not know the prefix, and no topic can be called so.
WORKFLOWS: Final = "@workflows"
# Kafka deletes whole segments: a record stays for as long after its retention as its segment took to fill.
SEGMENT: Final = timedelta(days=7)
DEAD_LETTERS_RETENTION: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should exist; ``config`` are Kafka's topic settings by name."""

    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topics:
    """Names of the topics under one prefix."""

    prefix: str

    def events(self, event_type: str) -> str:
        """Topic that events of this type, of systems outside, flow through; types of our own have no such topic."""
        if is_own_type(event_type):
            return self.internal_events
        return f"{self.prefix}events.{event_group(event_type)}"

    @property
    def internal_events(self) -> str:
        """Events of every type that Headrace itself makes; only its own roles may write it (docs/kafka.md)."""
        return f"{self.prefix}internal-events"

    def outside_events(self) -> list[str]:
        """Every topic that a sender of events may write."""
        return [f"{self.prefix}events.{group}" for group in EVENT_GROUPS]

    def all_events(self) -> list[str]:
        """Every topic the matcher reads."""
        return [*self.outside_events(), self.internal_events]

    def actions(self, action_type: str, lane: str) -> str:
        """Topic of one action type's lane."""
        return f"{self.prefix}actions.{action_type}" + (".high" if lane == "high" else "")

    @property
    def over_quota(self) -> str:
        """Executions over their owner's quota, on their way to wait."""
        return f"{self.prefix}over-quota"

    @property
    def executions(self) -> str:
        """Finished executions, for the sink."""
        return f"{self.prefix}executions"

    @property
    def dead_letters(self) -> str:
        """Records that could not be processed, of our own roles."""
        return f"{self.prefix}dead-letters"

    @property
    def listener_letters(self) -> str:
        """Records that handlers of other services could not process; those services write it."""
        return f"{self.prefix}listener-letters"

    @property
    def matcher_app(self) -> str:
        """The matcher's Faust app id; its table's changelog hangs on it (docs/design.md#12-workflow-table)."""
        return f"{self.prefix}matcher"

    @property
    def workflows_changelog(self) -> str:
        """Changelog of the matchers' workflow table; Faust derives the name, it cannot be chosen."""
        return f"{self.matcher_app}-workflows-changelog"

    def meant(self, name: str) -> str:
        """Topic that a row of the outbox is for."""
        return self.workflows_changelog if name == WORKFLOWS else name


def declare(settings: Settings, action_types: Iterable[str]) -> Iterator[TopicSpec]:
    """Yield every topic this installation needs; ``action_types`` are the registry's names."""
    topics = Topics(settings.topic_prefix)
    flow = {
        "cleanup.policy": "delete",
        "max.message.bytes": str(MAX_RECORD_BYTES),
        "retention.ms": _milliseconds(RETENTION),
        "segment.ms": _milliseconds(SEGMENT),
    }
    for name in topics.all_events():
        yield TopicSpec(name, settings.events_partitions, flow)
    for action_type in action_types:
        for lane in LANES:
            yield TopicSpec(topics.actions(action_type, lane), settings.actions_partitions, flow)
    for name in (topics.over_quota, topics.executions):
        yield TopicSpec(name, settings.actions_partitions, flow)
    for name in (topics.dead_letters, topics.listener_letters):
        yield TopicSpec(name, 1, {**flow, "retention.ms": _milliseconds(DEAD_LETTERS_RETENTION)})
    yield TopicSpec(
        topics.workflows_changelog, 1, {"cleanup.policy": "compact", "max.message.bytes": str(MAX_RECORD_BYTES)}
    )


def _milliseconds(time: timedelta) -> str:
    return str(int(time.total_seconds() * 1000))
