"""What Postgres tells of an installation: its schema's version, which actions are in use, and what is sealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import errors, sql

from app.adapters.postgres.answering import ASKED_WITHIN_S, AnsweringConnection
from app.adapters.postgres.database_roles import LOGIN_ROLES, DatabaseRole
from app.domain.errors import SettingsError, UnreachableError

_CONNECT: Final[dict[str, Any]] = {"connect_timeout": 4, "application_name": "headrace check", "autocommit": True}
_MOST_SEALED: Final = 200

_MAY_ACT_AS: Final = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND pg_has_role(rolname, 'MEMBER')"
_VERSION: Final = "SELECT version_num FROM public.headrace_schema_version"
_IN_USE: Final = "SELECT public.headrace_action_types_in_use()"
_SEALED: Final = """
(SELECT 'secret ' || name, value FROM public.secrets ORDER BY name LIMIT %(most)s)
UNION ALL (SELECT 'channel ' || name, url FROM public.notification_channels ORDER BY name LIMIT %(most)s)
"""


@dataclass(frozen=True, slots=True)
class PostgresFacts:
    """What was found.

    Attributes:
        user: Who it was asked as.
        may_act_as: Which of our roles that user may act as.
        version: The newest migration that was applied; None: there is none, or the user may not see it.
        in_use: Types of actions of active workflows; None: the user may not see them.
        sealed: Secrets and channels by name, each as it is stored; None: the user may not see them.
    """

    user: str
    may_act_as: frozenset[str] = frozenset()
    version: str | None = None
    in_use: frozenset[str] | None = None
    sealed: Sequence[tuple[str, bytes]] | None = field(default=None, repr=False)


async def acting_role(database_url: str) -> DatabaseRole:
    """Return a role of ours that the login user may act as, the one that may most first.

    Raises:
        UnreachableError: Postgres does not let us in.
        SettingsError: There is none.
    """
    facts = await look_at_postgres(database_url, None)
    for role in (DatabaseRole.SERVICE, *LOGIN_ROLES):
        if role in facts.may_act_as:
            return role
    raise SettingsError(
        f"the user {facts.user} of DATABASE_URL may act as none of the roles: give the owner's, or a role's own"
    )


async def look_at_postgres(database_url: str, role: DatabaseRole | None) -> PostgresFacts:
    """Ask Postgres as a role, or as whoever of ours the login user may act as.

    Raises:
        UnreachableError: It does not let us in within four seconds; the text has no password.
    """
    try:
        async with await AnsweringConnection.connect(database_url, **_CONNECT) as connection:
            connection.answers_within_s = ASKED_WITHIN_S
            return await _look(connection, role)
    except psycopg.Error as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UnreachableError(f"Postgres does not answer: {lines[0]}; check DATABASE_URL") from None


async def _look(connection: psycopg.AsyncConnection[Any], role: DatabaseRole | None) -> PostgresFacts:
    known = [DatabaseRole.SERVICE.value, *map(str, LOGIN_ROLES)]
    found = await _rows(connection, _MAY_ACT_AS, (known,)) or []
    may = [name for name in known if (name,) in found]
    acting = role.value if role is not None else next(iter(may), None)
    if acting in may:
        await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(str(acting))))
    version, in_use = await _rows(connection, _VERSION), await _rows(connection, _IN_USE)
    return PostgresFacts(
        connection.info.user,
        frozenset(may),
        version[0][0] if version else None,
        None if in_use is None else frozenset(in_use[0][0]),
        await _rows(connection, _SEALED, {"most": _MOST_SEALED}),
    )


async def _rows(connection: psycopg.AsyncConnection[Any], statement: str, params: Any = None) -> Any:
    """Return a statement's rows; None where the user may not see them, or there is nothing of the kind."""
    try:
        return await (await connection.execute(statement.encode(), params)).fetchall()
    except (errors.InsufficientPrivilege, errors.UndefinedTable, errors.UndefinedFunction):
        return None
