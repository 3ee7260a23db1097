"""The process's one pool of Postgres connections, and how its outages are waited out (docs/design.md#31-outages)."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeVar

import orjson
import psycopg
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from app.adapters.postgres.answering import ANSWERS_WITHIN_S, AnsweringConnection
from app.adapters.postgres.database_roles import DatabaseRole
from app.domain.errors import UnreachableError
from app.services.operations.outages import Outage, Pauses, until_served
from app.settings import Settings
from schemas.stored_json import read_json

log = logging.getLogger(__name__)

T = TypeVar("T")
Pool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]

LIMIT_S: Final = 300.0
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 2.0
_GET_WITHIN_S: Final = 5.0
_OPEN_WITHIN_S: Final = 10.0
_PING_WITHIN_S: Final = 5.0
# The pool's own backoff doubles without a bound; giving up early leaves it to the next caller to try at once.
_RECONNECT_S: Final = 4.0
_CONNECT: Final[dict[str, Any]] = {
    "autocommit": True,
    "prepare_threshold": 2,
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# Workers look up batches of keys: a plan made while a table was small must not scan it when it has grown. A look for
# few keys, as in a short batch, Postgres would plan anew each time, which costs more than to carry it out.
PLANNER: Final = {
    "jit": "off",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}
# A worker that is frozen in the middle of a transaction must not keep its row locks for ever.
_CONFIGURE: Final = "; ".join(
    [
        "SET TIME ZONE 'UTC'; SET idle_in_transaction_session_timeout = '30s'",
        *(f"SET {setting} = {value}" for setting, value in PLANNER.items()),
    ]
)
_TRANSIENT_CLASSES: Final = ("08", "40", "53", "57P")
_TRANSIENT_CODES: Final = frozenset({"25006", "25P03", "55P03"})


@asynccontextmanager
async def open_pool(
    settings: Settings, role: DatabaseRole, *, name: str = "headrace", answers_within_s: float = ANSWERS_WITHIN_S
) -> AsyncIterator[Pool]:
    """Open the pool for the length of a block.

    Its connections act as the role, not as the user that logs in, in UTC and in autocommit: statements that belong
    together need ``connection.transaction()``.

    Args:
        settings: ``database_url`` and ``pool_size``.
        role: The process's database role.
        name: What Postgres shows as ``application_name``.
        answers_within_s: Seconds that a statement may take before the server counts as frozen.

    Raises:
        UnreachableError: Postgres does not answer within 10 s.
    """
    pool: Pool = AsyncConnectionPool(
        settings.database_url.get_secret_value(),
        connection_class=AnsweringConnection,
        kwargs={**_CONNECT, "application_name": name},
        min_size=1,
        max_size=settings.pool_size,
        open=False,
        configure=partial(_configure, role, answers_within_s),
        name=name,
        timeout=_GET_WITHIN_S,
        reconnect_timeout=_RECONNECT_S,
    )
    try:
        await _open(pool)
        yield pool
    finally:
        # Also where opening was cancelled: the pool's workers outlive that, and a loop that ends waits for them.
        await pool.close()


async def _open(pool: Pool) -> None:
    try:
        await pool.open(wait=True, timeout=_OPEN_WITHIN_S)
    except PoolTimeout:
        raise UnreachableError("Postgres does not answer; check DATABASE_URL, and `headrace migrate`") from None


async def ping(settings: Settings) -> None:
    """Ask Postgres for anything, over a connection of its own: what is stuck may hold all of the pool's.

    Raises:
        UnreachableError: It does not answer.
    """
    url = settings.database_url.get_secret_value()
    try:
        async with await AnsweringConnection.connect(url, **_CONNECT, application_name="headrace ping") as asked:
            asked.answers_within_s = _PING_WITHIN_S
            await asked.execute("SELECT 1")
    except psycopg.Error as error:
        raise UnreachableError(f"Postgres does not answer ({type(error).__name__})") from error


async def _configure(role: DatabaseRole, answers_within_s: float, connection: psycopg.AsyncConnection[Any]) -> None:
    assert isinstance(connection, AnsweringConnection)
    connection.answers_within_s = answers_within_s
    await connection.execute(f"SET ROLE {role}; {_CONFIGURE}".encode())
    set_json_dumps(orjson.dumps, connection)
    set_json_loads(read_json, connection)


def is_transient(error: psycopg.Error) -> bool:
    """Tell whether the error is Postgres's or the network's state rather than the statement's fault."""
    if error.sqlstate is None:
        # A closed pool is this process's own end, which waiting would only delay.
        return isinstance(error, psycopg.OperationalError) and not isinstance(error, PoolClosed)
    return error.sqlstate.startswith(_TRANSIENT_CLASSES) or error.sqlstate in _TRANSIENT_CODES


async def persistently(run: Callable[[], Awaitable[T]], *, limit_s: float = LIMIT_S) -> T:
    """Run a whole transaction again until Postgres carries it out.

    It may have been committed although the answer was lost: ``run`` must be safe to repeat.

    Args:
        run: The transaction, from taking a connection to the commit.
        limit_s: Seconds of trying after which it gives up, which ends the process without an ack.

    Raises:
        UnreachableError: Postgres stayed away for longer than the limit.
        psycopg.Error: It refused the statement; trying again cannot help.
    """
    pauses = Pauses(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
    try:
        return await until_served(run, pauses, outage=POSTGRES, limit_s=limit_s, is_outage=_is_outage)
    except PoolClosed as error:
        raise UnreachableError("this process is ending: its pool is closed") from error
    except psycopg.Error as error:
        if not is_transient(error):
            raise
        raise UnreachableError(f"Postgres did not serve for {limit_s:g} s ({_said(error)})") from error


def _is_outage(error: Exception) -> bool:
    return isinstance(error, psycopg.Error) and is_transient(error)


def _is_rolled_back(error: Exception) -> bool:
    """Tell whether Postgres only chose this transaction to make way: a deadlock, a serialization failure."""
    return (getattr(error, "sqlstate", None) or "").startswith("40")


def _said(error: Exception) -> str:
    return f"{type(error).__name__} {getattr(error, 'sqlstate', None) or ''}".strip()


# One for the process: what stands behind its pools is the same.
POSTGRES: Final = Outage("Postgres", log, say=_said, passing=_is_rolled_back)
