"""The heartbeat of a process: which row it writes, as whom, and what it says there."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from app.adapters.postgres.database_roles import of_process
from app.adapters.postgres.heartbeats import PostgresHeartbeats
from app.metrics.roles import registry_of
from app.services.operations.background import failing
from app.services.operations.figures import figures_of
from app.services.operations.heartbeats import HeartbeatWriter, this_process
from app.settings import Settings


def heartbeat_of(role: str, settings: Settings, problems: Callable[[], Mapping[str, str]] = failing) -> HeartbeatWriter:
    """Return what writes this process's heartbeat.

    Args:
        role: What the process is started by, such as ``sink`` or ``admin``.
        settings: Its settings.
        problems: Returns why it is not ready, by what is asked.
    """
    store = PostgresHeartbeats(settings.database_url.get_secret_value(), of_process(role))
    process = this_process(role, settings.instance, datetime.now(UTC))
    return HeartbeatWriter(store, process, problems=problems, figures=partial(figures_of, registry_of(role)))
