"""The scheduler role: outbox relay, timers, temporal triggers and Postgres's upkeep, in one process without Faust."""

import asyncio
import logging
import math
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Final

import psycopg
import uvloop

from app.actions.registry import REGISTRY
from app.adapters.http.late import open_late_client
from app.adapters.kafka.producer import KafkaSender
from app.adapters.postgres.answering import UPKEEP_WITHIN_S
from app.adapters.postgres.crm import PostgresCrm
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.maintenance import Maintenance
from app.adapters.postgres.outbox import PostgresOutbox
from app.adapters.postgres.pool import Pool, open_pool
from app.adapters.postgres.quota_releases import PostgresQuotaReleases
from app.adapters.postgres.releases import PostgresReleases
from app.adapters.postgres.temporal import PostgresTemporal
from app.adapters.postgres.timers import PostgresTimerStore
from app.execution.routing import Router
from app.ports import CrmReads, HttpClient
from app.processes.alerting import watch_alerts
from app.processes.crm_choice import reads_of
from app.processes.policies import breaker_policy
from app.processes.stop_deadline import end_in_time
from app.processes.vitals import Vitals, living
from app.services.delivery.relay import Relay
from app.services.operations.background import end_all, keep_running
from app.services.operations.health import Health
from app.services.operations.outages import Outage, same_pauses, serve_for_ever, until_served
from app.services.scheduling.periodic_tasks import PeriodicTask, run_periodically
from app.services.scheduling.temporal import TemporalLoop
from app.services.scheduling.timers import TimerLoop
from app.settings import Settings
from app.topics import Topics

_TRY_AGAIN_S: Final = 1.0
_MAINTENANCE_EVERY_S: Final = 3600.0

logger = logging.getLogger(__name__)


def run_scheduler(settings: Settings, vitals: Vitals, *, alerts: Callable[[], Awaitable[None]] | None = None) -> None:
    """Run until SIGTERM or SIGINT; ``alerts`` judges instead of what does by default."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_signalled(settings, vitals, alerts or partial(watch_alerts, settings)))


async def _until_signalled(settings: Settings, vitals: Vitals, alerts: Callable[[], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    end_in_time(stop.is_set)
    logger.info("running")
    maintenance = PeriodicTask("maintenance", partial(_maintain, settings), _MAINTENANCE_EVERY_S)
    async with living(vitals):
        await serve_scheduler(settings, stop, periodic=[maintenance], health=vitals.health, alerts=alerts)


async def serve_scheduler(
    settings: Settings,
    stop: asyncio.Event,
    *,
    periodic: Sequence[PeriodicTask],
    health: Health | None = None,
    alerts: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Relay, fire timers and do the periodic tasks until ``stop`` is set; what was being sent then is sent again later.

    Nothing that one of them raises ends it for good, or any other.

    Args:
        settings: The process's settings.
        stop: Set when it is to end.
        periodic: What is done every so often.
        health: Given what it stands on.
        alerts: Judges the alerts until cancelled; none: nobody does.
    """
    sender = KafkaSender(settings.kafka_connection, client_id=f"scheduler-{settings.instance}")
    if health is not None:
        health.watch("kafka", sender.answers)
    outbox = PostgresOutbox(settings.database_url.get_secret_value(), name=f"headrace relay {settings.instance}")
    topics = Topics(settings.topic_prefix)
    router = Router(topics, frozenset(REGISTRY.names()))
    relay = Relay(outbox, sender, instead=router.refused, meant=topics.meant)
    timers = TimerLoop(PostgresTimerStore(settings.database_url.get_secret_value()), sender, instead=router.refused)
    releases = TimerLoop(_releases(settings), sender, instead=router.refused, name="releases")
    quotas = TimerLoop(_quota_releases(settings), sender, instead=router.refused, name="quotas")
    jobs = [
        _connected(sender, {"relay": relay.run, "timers": timers.run, "releases": releases.run, "quotas": quotas.run}),
        keep_running("temporal", partial(_trigger, settings)),
        *([] if alerts is None else [keep_running("alerts", alerts)]),
        *(run_periodically(task) for task in periodic),
    ]
    try:
        await _run_until(stop, jobs)
    finally:
        await sender.stop()


def _releases(settings: Settings) -> PostgresReleases:
    return PostgresReleases(
        settings.database_url.get_secret_value(),
        breaker_policy(settings),
        rate=settings.circuit_release_rate,
        name=f"headrace releases {settings.instance}",
    )


def _quota_releases(settings: Settings) -> PostgresQuotaReleases:
    url = settings.database_url.get_secret_value()
    return PostgresQuotaReleases(url, settings.executions_per_minute, name=f"headrace quotas {settings.instance}")


async def _connected(sender: KafkaSender, jobs: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
    """Run jobs that send, once there is a broker to send to."""
    await until_served(sender.start, same_pauses(_TRY_AGAIN_S), outage=Outage("Kafka", logger), limit_s=math.inf)
    await asyncio.gather(*(keep_running(name, job) for name, job in jobs.items()))


def _temporal(settings: Settings, pool: Pool, http: HttpClient) -> TemporalLoop:
    topics = Topics(settings.topic_prefix)

    def crm(connection: psycopg.AsyncConnection[Any]) -> CrmReads:
        return reads_of(settings, http, PostgresCrm(connection, topics))

    return TemporalLoop(
        PostgresTemporal(pool, crm),
        topics,
        rate=settings.audience_rate,
        everybodys=settings.everybodys_permissions,
    )


async def _trigger(settings: Settings) -> None:
    outage = Outage("Postgres, for temporal triggers", logger)

    async def serve() -> None:
        async with (
            open_pool(settings, DatabaseRole.SCHEDULER, name=f"headrace temporal {settings.instance}") as pool,
            open_late_client(allow_private=True, now=bool(settings.crm_url)) as http,
        ):
            outage.served()
            await _temporal(settings, pool, http).run()

    await serve_for_ever(outage, serve, same_pauses(_TRY_AGAIN_S))


async def _maintain(settings: Settings) -> None:
    name = f"headrace maintenance {settings.instance}"
    async with open_pool(settings, DatabaseRole.SCHEDULER, name=name, answers_within_s=UPKEEP_WITHIN_S) as pool:
        await Maintenance(pool, settings).run()


async def _run_until(stop: asyncio.Event, jobs: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run jobs side by side; ends with the first that raises, or when told to stop."""
    tasks = [asyncio.create_task(job) for job in (*jobs, _wait(stop))]
    done, running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await end_all(running)
    for task in done:
        task.result()


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()
