"""The roles that our processes act as in Postgres, and what is said of a login user that could do more."""

import logging
from enum import StrEnum
from typing import Any, Final

import psycopg

from app.adapters.postgres.answering import ASKED_WITHIN_S, AnsweringConnection
from app.domain.errors import SettingsError

log = logging.getLogger(__name__)


class DatabaseRole(StrEnum):
    """A role that cannot log in; its grants are in the migrations (0032 and later)."""

    MATCHER = "headrace_matcher"
    EXECUTOR = "headrace_executor"
    SINK = "headrace_sink"
    SCHEDULER = "headrace_scheduler"
    SOURCES = "headrace_sources"
    API = "headrace_api"
    # Of no process of ours: Grafana reads as it.
    DASHBOARDS = "headrace_dashboards"
    # Of the owner's own commands, which see and change everything.
    SERVICE = "headrace_service"

    @property
    def word(self) -> str:
        """Its name without the prefix, such as ``matcher``."""
        return self.value.removeprefix("headrace_")

    @property
    def acted_as(self) -> tuple[str, ...]:
        """Every role that its login user acts as."""
        return (self.value, CALLERS) if self is DatabaseRole.API else (self.value,)


# Whom the API acts as on behalf of a caller, judged by row level security.
CALLERS: Final = "authenticated"
LOGIN_ROLES: Final[tuple[DatabaseRole, ...]] = tuple(role for role in DatabaseRole if role is not DatabaseRole.SERVICE)

_CONNECT: Final[dict[str, Any]] = {"connect_timeout": 5, "application_name": "headrace login", "autocommit": True}
_POWERS: Final = """
SELECT session_user::text, u.rolsuper, u.rolbypassrls, u.rolcreaterole,
  (SELECT coalesce(array_agg(r.rolname::text ORDER BY r.rolname), '{}') FROM pg_roles r
    WHERE NOT u.rolsuper AND r.rolname <> ALL(%(expected)s) AND r.rolname <> session_user
      AND pg_has_role(session_user, r.oid, 'MEMBER')) AS others,
  (SELECT coalesce(array_agg(w ORDER BY w), '{}') FROM unnest(%(needed)s::text[]) AS w JOIN pg_roles r ON r.rolname = w
    WHERE NOT pg_has_role(session_user, r.oid, 'MEMBER')) AS missing
FROM pg_roles u WHERE u.rolname = session_user
"""


def of_process(name: str) -> DatabaseRole:
    """Return the database role of a process, by the name it is started by: ``executor-crm``, ``sink``, ``admin``."""
    if name == "admin":
        return DatabaseRole.API
    return DatabaseRole.EXECUTOR if name.startswith("executor-") else DatabaseRole(f"headrace_{name}")


async def check_login(database_url: str, role: DatabaseRole) -> None:
    """Look at the user that a process logs in as, once at its start.

    Logs a warning where it could do more than the process needs: what acts as its role can act as itself again.

    Args:
        database_url: Any libpq connection string.
        role: What the process acts as.

    Raises:
        SettingsError: The user may not act as the role.
    """
    try:
        async with await AnsweringConnection.connect(database_url, **_CONNECT) as connection:
            connection.answers_within_s = ASKED_WITHIN_S
            values = {"expected": [*role.acted_as, "headrace_rows"], "needed": list(role.acted_as)}
            row = await (await connection.execute(_POWERS, values)).fetchone()
    except psycopg.OperationalError:
        return  # who opens the pool next says so, or waits
    if row is None:
        return
    user, *powers, others, missing = row
    if missing:
        raise SettingsError(
            f"the user {user} of DATABASE_URL may not act as {' and '.join(missing)}: log in as the user of this role"
            f" (`headrace database-users` makes it), or GRANT {', '.join(missing)} TO {user}"
        )
    excess = [said for said, has in zip(_SAID, powers, strict=True) if has]
    if others:
        excess.append(f"may act as {', '.join(others)}")
    if excess:
        log.warning(
            "the user %s of DATABASE_URL %s, which this process has no use for: log in as a user of %s alone"
            " (`headrace database-users`; docs/operating.md, Database users)",
            user,
            ", ".join(excess),
            role.value,
        )


_SAID: Final = ("is a superuser", "bypasses row level security", "may create roles")
