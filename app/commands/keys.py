"""``headrace keys``: API keys of services, made and revoked by an operator who reaches the database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

import click
from sqlalchemy.exc import DBAPIError

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.api_keys import PostgresApiKeys
from app.commands.preflight import need_postgres, settings_here
from app.domain.api_keys import KEY_PERMISSIONS
from app.domain.callers import Caller
from app.ports import ApiKey
from app.services.access.api_keys import ApiKeyService

_OPERATOR: Final = Caller(UUID(int=1), "admin")

T = TypeVar("T")


@click.group(epilog="Example: headrace keys create --name shop --permission events:write")
def keys() -> None:
    """Make, list and revoke API keys, with which services call the API."""


@keys.command(epilog="Example: SHOP_KEY=$(headrace keys create --name shop --permission events:write)")
@click.option("--name", required=True, help="Which service it is for.")
@click.option(
    "--permission",
    "permissions",
    type=click.Choice(sorted(KEY_PERMISSIONS)),
    multiple=True,
    required=True,
    help="What it may do; give it once for each.",
)
@click.option("--days", type=click.FloatRange(min=0.01, max=36500), help="Valid for; for ever where it is not given.")
def create(name: str, permissions: tuple[str, ...], days: float | None) -> None:
    """Print a new key: this is the only time it is seen, only its digest is kept."""
    expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    _, key = _run(lambda service: service.create(_OPERATOR, name, permissions, expires))
    click.echo(key)


@keys.command("list", epilog="Example: headrace keys list")
def list_keys() -> None:
    """Print each key's id, state, last use, permissions and name; newest first."""
    for key in _run(lambda service: service.entries(_OPERATOR)):
        used = f"used {key.last_used:%Y-%m-%d %H:%M}" if key.last_used else "never used"
        click.echo(f"{key.id}  {_state(key):<10}  {used:<21}  {','.join(sorted(key.permissions))}  {key.name}")


@keys.command(epilog="Example: headrace keys revoke 6f1c2d34-9b0a-4c57-8d2e-0f1a2b3c4d5e")
@click.argument("key_id", type=click.UUID)
def revoke(key_id: UUID) -> None:
    """Revoke a key by its id (`headrace keys list`); it is refused within a few seconds."""
    _run(lambda service: service.revoke(_OPERATOR, key_id))
    click.echo("Revoked")


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= datetime.now(UTC) else "in use"


def _run(work: Callable[[ApiKeyService], Awaitable[T]]) -> T:
    settings = settings_here()
    need_postgres(settings)

    async def run() -> T:
        database = ApiDatabase(settings)
        try:
            return await work(ApiKeyService(PostgresApiKeys(database)))
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except DBAPIError as error:
        reason = next(iter(str(error.orig).splitlines()), type(error).__name__)
        raise click.ClickException(f"Postgres refused: {reason}; has `headrace migrate` been run?") from None
