"""The Faust app of a role, with what every role has: probes, a guard against crashes, a heartbeat, an orderly end."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from app.adapters.kafka.budget import MIB
from app.adapters.kafka.consumer_health import ConsumerHealth
from app.adapters.kafka.crash_guard import CrashGuard
from app.adapters.kafka.messages import TrackedMessage
from app.adapters.kafka.transport import App
from app.adapters.postgres.crashes import PostgresCrashes
from app.adapters.postgres.database_roles import of_process
from app.adapters.postgres.pool import ping
from app.domain.errors import PoisonError
from app.execution.agent_parts import Parts
from app.execution.log_writing import give_up, is_of_a_letter
from app.processes.faust_app import AgentSpec, TableFactory, Tuning, build_app
from app.processes.lifespan import Lifespan
from app.processes.vitals import Vitals
from app.settings import Settings
from app.topics import Topics

P = TypeVar("P", bound=Parts)


def role_app(
    app_id: str,
    settings: Settings,
    vitals: Vitals,
    agents: list[AgentSpec],
    parts: Lifespan[P],
    *,
    tuning: Tuning | None = None,
    tables: Sequence[TableFactory] = (),
) -> App:
    """Build a role's Faust app; see ``build_app``.

    Args:
        app_id: Consumer group.
        settings: The process's settings.
        vitals: What the process says of its own condition; that of the consumer is added.
        agents: Every agent.
        parts: What they feed; closed when they have stopped.
        tuning: Sizes and waits, but for the buffer's.
        tables: As there.
    """
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
    _show_health(app, vitals)

    async def close(_: Any, **__: Any) -> None:
        await parts.close()
        await vitals.beats.end(orderly=app.crash_reason is None)

    app.on_before_shutdown.connect(close, weak=False)
    return app


def _show_health(app: App, vitals: Vitals) -> None:
    consumer = ConsumerHealth(app)
    for name in ("kafka", "partitions", "frontier"):
        vitals.health.watch(name, getattr(consumer, name))
    app.run_beside("readiness", vitals.health.run)
    app.run_beside("heartbeat", vitals.beats.run)


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
