"""The admin role: puts the API together, serves it, and stops it in order."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import click
import uvloop
from aiohttp import web

from app.adapters.kafka.depths import KafkaDepths
from app.adapters.kafka.producer import KafkaSender
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.database_roles import DatabaseRole, check_login
from app.adapters.webhook import open_http_client
from app.admin.assembly import assemble
from app.admin.auth import Authenticator
from app.admin.routes import build_app
from app.domain.errors import SettingsError
from app.settings import Settings

_STOP_WITHIN_S: Final = 10.0


def run_admin(settings: Settings) -> None:
    """Serve the API until SIGTERM or SIGINT.

    Raises:
        SettingsError: There is no JWT secret, the port is taken, or DATABASE_URL is another role's.
        UnreachableError: Kafka or Postgres does not answer.
    """
    uvloop.run(_run(settings))


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[str]:
    """Serve the API for as long as the block runs; yields its URL. Raises as ``run_admin``."""
    Authenticator(settings)  # before anything is connected to: without a secret there is no API
    database = ApiDatabase(settings)
    depths = KafkaDepths(settings.kafka_bootstrap_servers, client_id="headrace-admin")
    try:
        await database.ping()
        async with (
            KafkaSender(settings.kafka_bootstrap_servers, client_id="headrace-admin") as sender,
            open_http_client(allow_private=True) as http,
        ):
            runner = web.AppRunner(
                build_app(assemble(settings, database, sender, depths, http=http)),
                access_log=None,
                shutdown_timeout=_STOP_WITHIN_S,
            )
            await runner.setup()
            try:
                yield await _listen(runner, settings)
            finally:
                await runner.cleanup()
    finally:
        await depths.stop()
        await database.close()


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await check_login(settings.database_url.get_secret_value(), DatabaseRole.API)
    async with served(settings) as url:
        click.echo(f"admin API at {url}")
        await stop.wait()


async def _listen(runner: web.AppRunner, settings: Settings) -> str:
    site = web.TCPSite(runner, settings.admin_host, settings.admin_port)
    try:
        await site.start()
    except OSError as error:
        where = f"{settings.admin_host}:{settings.admin_port}"
        raise SettingsError(
            f"Cannot listen on {where} ({error.strerror or error}); set HEADRACE_ADMIN_PORT to a free port"
        ) from error
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
