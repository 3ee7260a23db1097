"""``headrace users``: people who sign in, made and changed by an operator who reaches the database.

The API does the same for administrators. The first of them is made here.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID

import click
from sqlalchemy.exc import DBAPIError

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.credentials import PostgresCredentials
from app.adapters.postgres.users import PostgresUsers
from app.adapters.secrets.argon import Argon2Passwords
from app.commands.preflight import need_postgres, postgres_refused, settings_here
from app.commands.shape import Group
from app.commands.showing import Column, json_option, show_json, show_table
from app.domain.callers import PERMISSIONS, Caller, Role
from app.domain.errors import ConflictError
from app.ports.users import User, UserFilter
from app.services.access.users import UserService

_OPERATOR: Final = Caller(UUID(int=1), "admin")
_PAGE: Final = 200
_COLUMNS: Final = (
    Column("ID"),
    Column("ROLE"),
    Column("STATE"),
    Column("E-MAIL", 16),
    Column("SIGNED IN (UTC)", 0, 2),
    Column("PERMISSIONS", 12, 1),
)
_HOURS: Final = click.FloatRange(min=0.01, max=720)

T = TypeVar("T")


@click.group(cls=Group, epilog="headrace users add ada@example.com --name Ada --role admin")
def users() -> None:
    """Make, list and disable people who sign in, and give them a way in."""


@users.command(epilog="headrace users add ada@example.com --name 'Ada Lopes' --role admin")
@click.argument("email")
@click.option("--name", help="Their name; the e-mail's first part where it is not given.")
@click.option("--role", type=click.Choice(["user", "admin"]), default="user", show_default=True)
@click.option(
    "--permission",
    "permissions",
    metavar="NAME",
    type=click.Choice(sorted(PERMISSIONS)),
    multiple=True,
    help=f"What a user may do beside what every user may; give it once for each: {', '.join(sorted(PERMISSIONS))}.",
)
@click.option("--id", "user_id", type=click.UUID, help="Their id, where tokens of theirs have one already.")
@click.option("--hours", type=_HOURS, default=24, show_default=True, help="How long the printed token signs in.")
@click.option("--exists-ok", is_flag=True, help="Go on where there is a user of this e-mail.")
def add(
    email: str,
    *,
    name: str | None,
    role: Role,
    permissions: tuple[str, ...],
    user_id: UUID | None,
    hours: float,
    exists_ok: bool,
) -> None:
    """Make a user, and print a token that signs them in once (POST /api/v1/session/link)."""

    async def work(service: UserService) -> str:
        said = name or email.partition("@")[0]
        try:
            user = await service.create(_OPERATOR, email, said, role, permissions, user_id=user_id)
        except ConflictError:
            if not exists_ok:
                raise
            user = await service.by_email(_OPERATOR, email)
        return await service.invite(_OPERATOR, user, timedelta(hours=hours))

    click.echo(_run(work))


@users.command("list", epilog="headrace users list")
@json_option
def list_users(*, as_json: bool) -> None:
    """List users, newest first: role, state, last sign-in, permissions."""

    async def work(service: UserService) -> list[User]:
        found, cursor = list[User](), None
        while True:
            page = await service.page(_OPERATOR, UserFilter(), cursor, _PAGE)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                return found

    found = _run(work)
    if as_json:
        show_json({"items": [_told(user) for user in found]})
        return
    rows = [
        (
            str(user.id),
            user.role,
            "disabled" if user.disabled_at else "enabled",
            user.email,
            f"{user.signed_in_at:%Y-%m-%d %H:%M}" if user.signed_in_at else "never",
            ",".join(sorted(user.permissions)),
        )
        for user in found
    ]
    show_table(_COLUMNS, rows, empty="No user; `headrace users add EMAIL --role admin` makes one")


def _told(user: User) -> dict[str, object]:
    """Return a user as the API shows one."""
    return {name: _plain(value) for name, value in asdict(user).items()}


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    return value if isinstance(value, str | bool | int | None) else str(value)


@users.command(epilog="headrace users link ada@example.com --hours 1")
@click.argument("email")
@click.option("--hours", type=_HOURS, default=1, show_default=True, help="How long it holds.")
def link(email: str, hours: float) -> None:
    """Print a token that signs a user in once (POST /api/v1/session/link)."""

    async def work(service: UserService) -> str:
        return await service.invite(_OPERATOR, await service.by_email(_OPERATOR, email), timedelta(hours=hours))

    click.echo(_run(work))


@users.command("set-password", epilog="pass show headrace | headrace users set-password ada@example.com")
@click.argument("email")
def set_password(email: str) -> None:
    """Set a user's password, typed or from standard input, and end their sessions."""
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")

    async def work(service: UserService) -> None:
        await service.set_password(_OPERATOR, (await service.by_email(_OPERATOR, email)).id, password)

    _run(work)
    click.echo("Set; their sessions have ended")


@users.command(epilog="headrace users disable ada@example.com")
@click.argument("email")
def disable(email: str) -> None:
    """Keep a user out, with password, session, link or token, within two seconds; what they own stays, and runs on."""
    _switch(email, disabled=True)
    click.echo("Disabled")


@users.command(epilog="headrace users enable ada@example.com")
@click.argument("email")
def enable(email: str) -> None:
    """Let a user in again."""
    _switch(email, disabled=False)
    click.echo("Enabled")


def _switch(email: str, *, disabled: bool) -> None:
    async def work(service: UserService) -> None:
        user = await service.by_email(_OPERATOR, email)
        await service.change(_OPERATOR, user.id, None, {"disabled": disabled})

    _run(work)


def _run(work: Callable[[UserService], Awaitable[T]]) -> T:
    settings = settings_here()
    need_postgres(settings)

    async def run() -> T:
        database = ApiDatabase(settings)
        try:
            service = UserService(PostgresUsers(database), PostgresCredentials(database), Argon2Passwords())
            return await work(service)
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except DBAPIError as error:
        raise postgres_refused(error.orig) from None
