"""The users that roles log in as: one for each database role, which it is a member of, and which has nothing itself."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.adapters.postgres.database_roles import DatabaseRole
from app.domain.errors import SettingsError, UnreachableError

PREFIX: Final = "headrace"
# Who logs in as these is no code of ours, and cannot say whom it acts as: it does from the start.
ITSELF: Final = frozenset({DatabaseRole.DASHBOARDS})
_TRIES: Final = 20
# Roles belong to the cluster: another session that makes or changes the same one may get there first.
_RACED: Final = (errors.DuplicateObject, errors.UniqueViolation, errors.InternalError_)
_FIND: Final = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s"
_IS_MEMBER: Final = """
SELECT FROM pg_auth_members m JOIN pg_roles u ON u.oid = m.member JOIN pg_roles r ON r.oid = m.roleid
WHERE u.rolname = %s AND r.rolname = %s
"""
_MAY_CONNECT: Final = "SELECT has_database_privilege(%s, current_database(), 'CONNECT')"


def user_name(role: DatabaseRole, prefix: str = PREFIX) -> str:
    """Return the name of a role's login user."""
    return f"{prefix}_{role.word}_login"


def login_url(database_url: str, role: DatabaseRole, password: str, prefix: str = PREFIX) -> str:
    """Return ``database_url`` for a role's login user instead of its own."""
    own = {**conninfo_to_dict(database_url), "user": user_name(role, prefix), "password": password}
    return make_conninfo("", **own)


def make_login_users(database_url: str, passwords: Mapping[DatabaseRole, str], prefix: str = PREFIX) -> Sequence[str]:
    """Make the login users, or give those that are there the passwords; returns their names.

    A password leaves this process only as what Postgres stores of it, so that no log of statements has it.

    Args:
        database_url: Any libpq connection string, of a user who may create roles.
        passwords: The passwords of the roles whose users are wanted.
        prefix: What the names begin with: installations that share a cluster have one each.

    Raises:
        SettingsError: The user may not make roles, or one of the names is taken; the text says what to do.
        UnreachableError: Postgres does not answer.
    """
    try:
        with psycopg.connect(database_url, autocommit=True, connect_timeout=10) as connection:
            for role, password in passwords.items():
                _persistently(partial(_make, connection, role, password, prefix))
    except errors.InsufficientPrivilege as error:
        said = str(error).splitlines()[0]
        raise SettingsError(
            f"Postgres does not let the user of DATABASE_URL make login users ({said})."
            f" As an administrator, with passwords of your own:\n{by_hand(passwords, prefix)}"
        ) from None
    except errors.UndefinedObject:
        raise SettingsError("the database roles are not there yet; run `headrace migrate` first") from None
    except psycopg.OperationalError as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise UnreachableError(f"Postgres does not answer ({said}); check DATABASE_URL") from None
    return [user_name(role, prefix) for role in passwords]


def by_hand(roles: Sequence[DatabaseRole] | Mapping[DatabaseRole, str], prefix: str = PREFIX) -> str:
    """Return the SQL by which an administrator makes the login users."""
    lines = []
    for role in roles:
        user = user_name(role, prefix)
        lines.append(f"CREATE ROLE {user} LOGIN NOINHERIT PASSWORD '...'; GRANT {', '.join(role.acted_as)} TO {user};")
        if role in ITSELF:
            lines.append(f"ALTER ROLE {user} SET role = {role.value};")
    return "\n".join(lines)


def _persistently(change: Callable[[], None]) -> None:
    for _ in range(_TRIES - 1):
        try:
            change()
        except _RACED:
            continue
        return
    change()


def _make(connection: psycopg.Connection[Any], role: DatabaseRole, password: str, prefix: str) -> None:
    user = user_name(role, prefix)
    with connection.transaction():
        found = connection.execute(_FIND, (user,)).fetchone()
        if found == (True,):
            raise SettingsError(f"the user {user} is there, and above row level security; choose another --prefix")
        verb = sql.SQL("ALTER" if found else "CREATE")
        stored = connection.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256")
        connection.execute(
            sql.SQL("{} ROLE {} LOGIN NOINHERIT PASSWORD {}").format(
                verb, sql.Identifier(user), sql.Literal(stored.decode())
            )
        )
        for group in role.acted_as:
            if not connection.execute(_IS_MEMBER, (user, group)).fetchone():
                connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(user)))
        if role in ITSELF:
            alter = sql.SQL("ALTER ROLE {} SET role = {}")
            connection.execute(alter.format(sql.Identifier(user), sql.Literal(role.value)))
        if connection.execute(_MAY_CONNECT, (user,)).fetchone() == (False,):
            database = sql.Identifier(connection.info.dbname)
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(user)))
