"""What each role needs on Kafka, once: the ACLs that are printed, documented, tested, and checked at a role's start."""

from collections.abc import Sequence
from typing import Final

from app.actions.registry import REGISTRY
from app.adapters.kafka.permissions import denied
from app.adapters.kafka.reachability import user_of
from app.domain.kafka_access import Access, Operation, acl_arguments
from app.processes.role_names import action_types_by_role, role_names
from app.services.operations.queue_status import lanes_of
from app.settings import Settings
from app.topics import Topics, declare

# Who runs `headrace topics`, and who only sends events (`headrace emit`, the library): no roles, yet principals.
TOPICS_COMMAND: Final = "topics"
SENDER: Final = "emit"
_NAMED: Final = 5


def accesses(settings: Settings) -> dict[str, list[Access]]:
    """Return what each role needs, by its name, and what the two commands that write to Kafka need.

    Executors write to every topic of actions, because the step after theirs may be of any type. The scheduler writes to
    every topic that a dead letter may be of, because it replays them.
    """
    topics = Topics(settings.topic_prefix)
    needed = {role: [*_reads(role, topics), *_writes(role, topics)] for role in role_names()}
    # It shows events, and looks for them, without a group.
    looked_at = (topics.outside_events(), [topics.internal_events])
    needed["admin"] = [
        *(access for names in looked_at for access in (*_each("Write", *names), *_each("Read", *names))),
        *_depths(topics),
    ]
    if settings.sources:
        needed["sources"] = _of_sources(settings, topics)
    needed[TOPICS_COMMAND] = [
        Access(operation, "topic", topics.prefix, prefixed=True)
        for operation in ("Create", "Describe", "DescribeConfigs", "Alter")
    ]
    needed[SENDER] = _each("Write", *topics.outside_events())
    return needed


def concrete(role: str, settings: Settings) -> list[Access]:
    """Return what a role needs on each topic and group by name, as a broker can be asked for it."""
    declared = [spec.name for spec in declare(settings, REGISTRY.names())]
    found: list[Access] = []
    for access in accesses(settings).get(role, ()):
        if not access.prefixed:
            found.append(access)
        elif access.resource == "topic":
            found += [Access(access.operation, "topic", name) for name in declared if access.covers(name)]
    return found


def needed_commands(settings: Settings, principal: str) -> list[str]:
    """Return the lines of a shell script that grants each role what it needs.

    Args:
        settings: The installation's.
        principal: Kafka's name of a role's user, with ``{role}`` where the role stands.
    """
    tool = f"kafka-acls.sh --bootstrap-server {settings.kafka_connection} --command-config admin.properties"
    lines = [f'acl() {{ {tool} --add --allow-principal "$@"; }}']
    for role, needed in accesses(settings).items():
        user = principal.replace("{role}", role)
        lines.append(f"# {role}")
        lines += [f"acl {user} {words}" for words in acl_arguments(needed)]
    return lines


async def denied_to(role: str, settings: Settings) -> list[Access]:
    """Return what a role needs and Kafka denies this process.

    Raises:
        UnreachableError: Kafka does not answer.
    """
    return await denied(settings.kafka_connection, concrete(role, settings))


def denial(role: str, settings: Settings, missing: Sequence[Access]) -> str:
    """Say what is denied, of a role's needs."""
    named = ", ".join(map(str, missing[:_NAMED]))
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    return f"Kafka denies {user_of(settings.kafka_connection)} what {role} needs: {named}{more}"


def _reads(role: str, topics: Topics) -> list[Access]:
    lanes = [lane for lane in lanes_of(topics, action_types_by_role()) if lane.role == role]
    table = [topics.workflows_changelog] if role == "matcher" else []
    groups = sorted({lane.group for lane in lanes})
    return [
        *_each("Read", *(lane.topic for lane in lanes), *table),
        *(Access("Read", "group", group) for group in groups),
    ]


def _writes(role: str, topics: Topics) -> list[Access]:
    commands = Access("Write", "topic", f"{topics.prefix}actions.", prefixed=True)
    follows = [commands, *_each("Write", topics.executions, topics.dead_letters)]
    if role == "matcher":
        return [*follows, *_each("Write", topics.over_quota)]
    if role == "sink":
        return _each("Write", topics.dead_letters)
    if role == "scheduler":
        own = (topics.internal_events, topics.over_quota, topics.workflows_changelog)
        return [*follows, *_each("Write", *own, *topics.outside_events()), *_depths(topics)]
    return follows


def _depths(topics: Topics) -> list[Access]:
    """How far the groups are behind: for the queue's status and the alerts."""
    return [
        Access("Describe", "topic", topics.prefix, prefixed=True),
        Access("Describe", "group", topics.prefix, prefixed=True),
    ]


def _of_sources(settings: Settings, topics: Topics) -> list[Access]:
    from app.services.ingest.source_settings import load_sources  # noqa: PLC0415 - no other role holds what reads sources

    foreign = sorted({source.topic for source in load_sources(settings.sources, settings.topic_prefix)})
    return [
        *_each("Read", *foreign),
        Access("Read", "group", f"{topics.prefix}sources"),
        *_each("Write", *topics.outside_events(), topics.dead_letters),
    ]


def _each(operation: Operation, *names: str) -> list[Access]:
    return [Access(operation, "topic", name) for name in names]
