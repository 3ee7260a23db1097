"""What a process knows and says of its own condition: readiness, its heartbeat, and the page of a worker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from prometheus_client import CollectorRegistry

from app.adapters.postgres.database_roles import of_process
from app.adapters.postgres.heartbeats import PostgresHeartbeats
from app.processes.role_names import usual_metrics_port
from app.processes.worker_page import serve_page
from app.services.operations.background import running_beside
from app.services.operations.figures import figures_of
from app.services.operations.health import Health
from app.services.operations.heartbeats import HeartbeatWriter, beating, this_process
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Vitals:
    """One process's.

    Attributes:
        health: Whether it is ready.
        beats: Writes its heartbeat.
        metrics: What it exports.
    """

    health: Health
    beats: HeartbeatWriter
    metrics: CollectorRegistry


def vitals_of(role: str, settings: Settings, metrics: CollectorRegistry, health: Health | None = None) -> Vitals:
    """Return a process's condition; what it stands on besides Postgres is for its parts to add.

    Args:
        role: What the process is started by, such as ``sink`` or ``admin``.
        settings: Its settings.
        metrics: What it exports.
        health: What is asked already, if anything.
    """
    health = health or Health()
    store = PostgresHeartbeats(settings.database_url.get_secret_value(), of_process(role))
    process = this_process(role, settings.instance, datetime.now(UTC))
    beats = HeartbeatWriter(store, process, problems=health.problems, figures=partial(figures_of, metrics))
    health.watch("postgres", store.ping)
    health.watch("restarts", beats.restarts)
    return Vitals(health, beats, metrics)


@asynccontextmanager
async def living(vitals: Vitals) -> AsyncIterator[None]:
    """Look at the process's condition and say it for as long as a block runs, which is until its orderly end."""
    async with running_beside("readiness", vitals.health.run), beating(vitals.beats):
        yield


def show_page(role: str, settings: Settings, vitals: Vitals) -> None:
    """Serve the worker's page, unless HEADRACE_METRICS_PORT is 0.

    Raises:
        SettingsError: The address cannot be listened on; names the variable.
    """
    port = usual_metrics_port(role) if settings.metrics_port is None else settings.metrics_port
    if port:
        serve_page(settings.metrics_host, port, vitals.health, vitals.metrics)
