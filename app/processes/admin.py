"""The admin role: puts the API together, serves it, and stops it in order."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvloop

from app.adapters.http.client import open_http_client
from app.adapters.kafka.depths import KafkaDepths
from app.adapters.kafka.producer import KafkaSender
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.database_roles import DatabaseRole, check_login
from app.adapters.postgres.template_changes import TemplateChanges
from app.adapters.postgres.workflow_quotas import tell_quotas
from app.admin.auth import Authenticator
from app.admin.connections import Connections
from app.admin.limits import ConnectionLimits
from app.admin.listening import listening
from app.admin.routes import build_app
from app.processes.admin_services import assemble, quotas_of
from app.processes.clocks import Clocks
from app.processes.logs import log_as
from app.processes.open_files import allow_open_files
from app.processes.stop_deadline import end_in_time
from app.processes.vitals import living, vitals_of
from app.services.operations.background import running_beside
from app.services.operations.shared_clock import shared_clock
from app.settings import Settings

log = logging.getLogger(__name__)

ROLE: Final = "admin"


def run_admin(settings: Settings) -> None:
    """Serve the API until SIGTERM or SIGINT.

    Raises:
        SettingsError: There is no JWT secret, the port is taken, or DATABASE_URL is another role's.
        UnreachableError: Kafka or Postgres does not answer.
    """
    log_as(ROLE, settings)
    allow_open_files()
    uvloop.run(_run(settings))


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[str]:
    """Serve the API for as long as the block runs; yields its URL. Raises as ``run_admin``."""
    Authenticator(settings)  # before anything is connected to: without a secret there is no API
    database = ApiDatabase(settings)
    depths = KafkaDepths(settings.kafka_connection, client_id="headrace-admin")
    try:
        await database.ping()
        await tell_quotas(database, quotas_of(settings))
        async with (
            KafkaSender(settings.kafka_connection, client_id="headrace-admin") as sender,
            open_http_client(allow_private=True) as http,
            shared_clock(database) as clock,
        ):
            state = assemble(settings, database, sender, depths, clocks=Clocks(now=clock.now), http=http)
            vitals = vitals_of(ROLE, settings, state.metrics, state.health)
            app = build_app(state)
            connections = Connections(connection_limits(settings), settings.proxy_networks)
            changes = TemplateChanges(settings.database_url.get_secret_value(), state.template_lists)
            async with (
                living(vitals),
                running_beside("template changes", changes.run),
                listening(app, connections, settings.admin_host, settings.admin_port) as url,
            ):
                yield url
    finally:
        await depths.stop()
        await database.close()


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    end_in_time(stop.is_set)
    await check_login(settings.database_url.get_secret_value(), DatabaseRole.API)
    async with served(settings) as url:
        log.info("the admin API serves", extra={"url": url})
        await stop.wait()


def connection_limits(settings: Settings) -> ConnectionLimits:
    """Return what connections may take, as far as that is set."""
    return ConnectionLimits(most=settings.admin_connections, most_each=settings.admin_connections_per_address)
