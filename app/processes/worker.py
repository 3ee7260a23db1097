"""Runs one role: builds its parts and its Faust app, and runs it until a signal comes."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from prometheus_client import CollectorRegistry

from agents.executor import lane_agent, over_quota_agent
from agents.matcher import matcher_agent
from agents.reading import Around
from agents.sink import dead_letters_agent, executions_agent
from agents.sources import sources_agent
from app.actions.base import FAMILIES, AnyAction, Family, LeasedAction
from app.actions.registry import REGISTRY
from app.adapters.kafka.budget import MIB
from app.adapters.kafka.consumer_health import ConsumerHealth
from app.adapters.kafka.crash_guard import CrashGuard
from app.adapters.kafka.messages import TrackedMessage
from app.adapters.kafka.pacing import GATHERING
from app.adapters.kafka.transport import App
from app.adapters.postgres.crashes import PostgresCrashes
from app.adapters.postgres.database_roles import check_login, of_process
from app.adapters.postgres.pool import ping
from app.domain.errors import PoisonError, SettingsError
from app.execution.agent_parts import ExecutorParts, MatcherParts, SinkParts, SourceParts
from app.execution.log_writing import give_up, is_of_a_letter
from app.metrics.roles import registry_of
from app.processes.faust_app import AgentSpec, TableFactory, Tuning, build_app, run_worker
from app.processes.lifespan import Lifespan
from app.processes.logs import log_as
from app.processes.role_names import OPTIONAL_ROLES, role_names
from app.processes.roles import open_executor, open_matcher, open_sink, open_sources
from app.processes.scheduler import run_scheduler
from app.processes.vitals import Vitals, show_page, vitals_of
from app.services.ingest.source_settings import load_sources
from app.services.operations.table_check import TableAge
from app.services.workflows.index import WorkflowIndex
from app.settings import Settings
from app.topics import LANES, OVER_QUOTA_ROLE, Topics
from tables.workflows import build_workflow_table

log = logging.getLogger(__name__)


P = TypeVar("P", bound=MatcherParts | SinkParts | SourceParts | ExecutorParts)

MAX_SLOTS: Final = 512


def run_role(role: str, settings: Settings) -> None:
    """Run a role in this process until SIGTERM or SIGINT.

    Raises:
        SettingsError: There is no such role, or DATABASE_URL is another role's.
        SystemExit: At the end; 0 after a signal.
    """
    known = (*role_names(), *OPTIONAL_ROLES)
    if role not in known:
        raise SettingsError(f"there is no role {role}; there are {', '.join(known)}")
    log_as(role, settings)
    asyncio.run(check_login(settings.database_url.get_secret_value(), of_process(role)))
    vitals = vitals_of(role, settings, metrics_of(role, settings))
    show_page(role, settings, vitals)
    if role == "scheduler":
        run_scheduler(settings, vitals)
        return
    run_worker(build_role(role, settings, vitals))


def metrics_of(role: str, settings: Settings) -> CollectorRegistry:
    """Return what a role exports, with all that it may count at 0."""
    families = [family for family in FAMILIES if role == f"executor-{family}"]
    types = [action.name for family in families for action in REGISTRY.of_family(family)]
    read = load_sources(settings.sources, settings.topic_prefix) if role == "sources" else ()
    return registry_of(role, action_type=types, source=["", *(source.name for source in read)], chore=["maintenance"])


def build_role(role: str, settings: Settings, vitals: Vitals, around: Around | None = None) -> App:
    """Build a role's Faust app with its agents.

    Args:
        role: The role's name.
        settings: The process's settings.
        vitals: What it says of its own condition; what the role stands on is added.
        around: Told of records before an agent handles them, such as by a test that plants faults.
    """
    if role == "matcher":
        return _matcher(settings, vitals, around)
    if role == "sink":
        return _sink(settings, vitals, around)
    if role == "sources":
        return _sources(settings, vitals, around)
    return _executor(role, settings, vitals, around)


def _matcher(settings: Settings, vitals: Vitals, around: Around | None) -> App:
    topics = Topics(settings.topic_prefix)
    index, age = WorkflowIndex(), TableAge(settings.workflow_check_s)
    parts = Lifespan(lambda: open_matcher(settings, index, age))
    vitals.health.watch("table", age.probe)

    return _app(
        topics.matcher_app,
        settings,
        vitals,
        [AgentSpec("matcher", tuple(topics.all_events()), matcher_agent(parts.get, around))],
        parts,
        tables=[lambda app: build_workflow_table(app, index)],
        tuning=Tuning(fetch_gap=GATHERING),
    )


def _sink(settings: Settings, vitals: Vitals, around: Around | None) -> App:
    topics = Topics(settings.topic_prefix)
    parts = Lifespan(lambda: open_sink(settings))

    agents = [
        AgentSpec("executions", topics.executions, executions_agent(parts.get, around)),
        AgentSpec(
            "dead-letters", (topics.dead_letters, topics.listener_letters), dead_letters_agent(parts.get, around)
        ),
    ]
    return _app(f"{topics.prefix}sink", settings, vitals, agents, parts)


def _sources(settings: Settings, vitals: Vitals, around: Around | None) -> App:
    parts = Lifespan(lambda: open_sources(settings))
    topics = {source.topic for source in load_sources(settings.sources, settings.topic_prefix)}

    agents = [AgentSpec("sources", tuple(sorted(topics)), sources_agent(parts.get, around))]
    return _app(f"{settings.topic_prefix}sources", settings, vitals, agents, parts)


def _executor(role: str, settings: Settings, vitals: Vitals, around: Around | None) -> App:
    topics = Topics(settings.topic_prefix)
    family: Family = next(name for name in FAMILIES if role == f"executor-{name}")
    parts = Lifespan(lambda: open_executor(role, family, settings))
    agents = [
        AgentSpec(
            f"{action.name}-{lane}",
            topics.actions(action.name, lane),
            lane_agent(action.name, parts.get, slots=lane_slots(action, settings), around=around),
        )
        for action in REGISTRY.of_family(family)
        for lane in LANES
    ]
    if role == OVER_QUOTA_ROLE:
        agents.append(AgentSpec("over-quota", topics.over_quota, over_quota_agent(parts.get, around)))
    return _app(f"{topics.prefix}{role}", settings, vitals, agents, parts)


def lane_slots(action: AnyAction, settings: Settings) -> int:
    """Return how many commands of one lane a worker carries out at once: QUEUE_CONCURRENCY for each partition."""
    most = (action.at_once if isinstance(action, LeasedAction) else None) or MAX_SLOTS
    return min(settings.queue_concurrency * settings.actions_partitions, most)


def _app(
    app_id: str,
    settings: Settings,
    vitals: Vitals,
    agents: list[AgentSpec],
    parts: Lifespan[P],
    *,
    tuning: Tuning | None = None,
    tables: Sequence[TableFactory] = (),
) -> App:
    app = build_app(
        app_id=app_id,
        connection=settings.kafka_connection,
        instance=settings.instance,
        data_dir=settings.data_dir,
        agents=agents,
        probes=[partial(ping, settings)],
        tuning=replace(tuning or Tuning(), buffer_bytes=settings.worker_buffer_mb * MIB),
        crash_guard=_crash_guard(app_id, settings, parts),
        tables=tables,
    )

    consumer = ConsumerHealth(app)
    for name in ("kafka", "partitions", "frontier"):
        vitals.health.watch(name, getattr(consumer, name))
    app.run_beside("readiness", vitals.health.run)
    app.run_beside("heartbeat", vitals.beats.run)

    async def close(_: Any, **__: Any) -> None:
        await parts.close()
        await vitals.beats.end(orderly=app.crash_reason is None)

    app.on_before_shutdown.connect(close, weak=False)
    return app


def _crash_guard(group: str, settings: Settings, parts: Lifespan[P]) -> CrashGuard:
    letters_topic = Topics(settings.topic_prefix).dead_letters

    async def condemn(message: TrackedMessage, detail: str) -> None:
        why = PoisonError("crashes", detail)
        if message.topic == letters_topic and is_of_a_letter(message, letters_topic):
            give_up(message, why)
        else:
            await (await parts.get()).letters.send(message, why)

    url, role = settings.database_url.get_secret_value(), of_process(group.removeprefix(settings.topic_prefix))
    crashes = PostgresCrashes(url, role, group=group, instance=settings.instance)
    return CrashGuard(crashes, condemn)
