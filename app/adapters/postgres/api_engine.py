"""The API's way into Postgres: one bounded pool, and transactions that row level security judges.

Every transaction runs as the role ``authenticated`` with the caller's claims, as Supabase does it. Both end with the
transaction, so a connection that goes back to the pool carries no caller's rights.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

import orjson
import psycopg
from psycopg.types.json import set_json_dumps, set_json_loads
from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.adapters.postgres.answering import AnsweringConnection
from app.adapters.postgres.database_roles import CALLERS, DatabaseRole
from app.adapters.postgres.pool import is_transient
from app.domain.callers import Caller
from app.domain.errors import (
    ConflictError,
    FieldError,
    HeadraceError,
    InvalidError,
    NotPermittedError,
    UnreachableError,
)
from app.metrics.admin import DATABASE_REFUSALS
from app.settings import Settings
from schemas.base import written
from schemas.stored_json import read_json

_CONNECT_WITHIN_S: Final = 5
# The pool's ping, and what opens a transaction: it says on whose behalf, and waits for nothing.
_BEGIN_WITHIN_S: Final = 3.0
# After Postgres should have ended a statement itself.
_GRACE_S: Final = 3.0
_POOL_WAIT_S: Final = 5.0
_NO_SUCH_ROW: Final = "23503"
_CHECK: Final = "23514"
_NOT_PERMITTED: Final = "42501"
# Ours, of migration 0043: a quota; PostgREST answers it as we do.
_CONFLICT: Final = "PT409"
_LOG: Final = logging.getLogger(__name__)

_ACT_AS: Final = text(
    "SELECT set_config('role', :role, true), set_config('request.jwt.claims', :claims, true),"
    " set_config('statement_timeout', :within, true)"
)
_SERVE: Final = text("SELECT set_config('role', 'headrace_api', true), set_config('statement_timeout', :within, true)")
# In a Supabase database users are made by it, and our roles may not.
_MAY_ADD_USERS: Final = text("""
SELECT coalesce(bool_or(has_schema_privilege('headrace_api', s.oid, 'USAGE')
  AND has_column_privilege('headrace_api', t.oid, 'id', 'INSERT')), false)
FROM pg_class t JOIN pg_namespace s ON s.oid = t.relnamespace WHERE s.nspname = 'auth' AND t.relname = 'users'
""")
_ADD_USER: Final = text("INSERT INTO auth.users (id) VALUES (:id) ON CONFLICT (id) DO NOTHING")
_OUTBOX_AGE: Final = text(
    "SELECT coalesce(extract(epoch FROM now() - "
    "(SELECT created_at FROM outbox WHERE set_aside IS NULL ORDER BY id LIMIT 1)), 0)"
)


class ApiDatabase:
    """The pool.

    Args:
        settings: Where Postgres is, and how many connections the pool may hold.
        statement_within_ms: How long one statement may take.
    """

    def __init__(self, settings: Settings, *, statement_within_ms: int = 10_000) -> None:
        dsn = settings.database_url.get_secret_value()

        async def connect() -> AnsweringConnection:
            # Nothing is prepared: a plan made while a table was small would be kept when it has grown.
            connection = await AnsweringConnection.connect(
                dsn, application_name="headrace admin", connect_timeout=_CONNECT_WITHIN_S, prepare_threshold=None
            )
            connection.begins_within_s = _BEGIN_WITHIN_S
            connection.answers_within_s = statement_within_ms / 1000 + _GRACE_S
            set_json_dumps(_json_text, connection)
            set_json_loads(read_json, connection)
            return connection

        # The URL only names the dialect: libpq itself reads the connection string, in all its forms.
        self._engine = create_async_engine(
            "postgresql+psycopg://",
            async_creator=connect,
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=_POOL_WAIT_S,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        self._may_add_users: bool | None = None
        self._within = str(statement_within_ms)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    @asynccontextmanager
    async def reading(self, caller: Caller) -> AsyncIterator[AsyncConnection]:
        """Open a transaction on the caller's behalf.

        Raises:
            UnreachableError: Postgres does not answer, or has no connection free.
            NotPermittedError: The database refuses the caller what the API has let through.
            ConflictError: There would be more of what is written than its owner may have.
        """
        async with self._begin(callers=True) as connection:
            await self._act_as(connection, CALLERS, caller)
            yield connection

    @asynccontextmanager
    async def writing(self, caller: Caller) -> AsyncIterator[AsyncConnection]:
        """As ``reading``; rows can belong to the caller, who is entered as a user by their first write."""
        async with self._begin(callers=True) as connection:
            if not caller.is_key and await self._adds_users(connection):
                await self._act_as(connection, DatabaseRole.API, caller)
                await connection.execute(_ADD_USER, {"id": caller.user_id})
            await self._act_as(connection, CALLERS, caller)
            yield connection

    @asynccontextmanager
    async def serving(self, caller: Caller | None = None) -> AsyncIterator[AsyncConnection]:
        """Open a transaction in the API's own role, which sees everything: the API must have checked who asks.

        Args:
            caller: On whose behalf; the audit trail names them for what is changed.

        Raises:
            UnreachableError: Postgres does not answer, or has no connection free.
        """
        async with self._begin() as connection:
            if caller is None:
                await connection.execute(_SERVE, {"within": self._within})
            else:
                await self._act_as(connection, DatabaseRole.API, caller)
            yield connection

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """As ``serving``, but lends psycopg's own connection, in that transaction.

        Raises:
            UnreachableError: Postgres does not answer, or has no connection free.
            InvalidError: A value cannot be stored or looked up.
        """
        async with self.serving() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert isinstance(raw, psycopg.AsyncConnection)
            yield raw

    async def ping(self) -> None:
        """Ask Postgres for anything.

        Raises:
            UnreachableError: It does not answer.
        """
        async with self._begin() as connection:
            await connection.execute(text("SELECT 1"))

    async def now(self) -> datetime:
        """Return Postgres's time of day; implements ``app.ports.shared_time.SharedTime``.

        Raises:
            UnreachableError: It does not answer.
        """
        async with self._begin() as connection:
            now = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        assert isinstance(now, datetime)
        return now

    async def outbox_age(self) -> float:
        """Seconds that the oldest record has waited for the relay, those set aside left out; 0 where none waits."""
        async with self.serving() as connection:
            return float((await connection.execute(_OUTBOX_AGE)).scalar_one())

    async def _act_as(self, connection: AsyncConnection, role: str, caller: Caller) -> None:
        values = {"role": role, "claims": _json_text(caller.claims), "within": self._within}
        await connection.execute(_ACT_AS, values)

    async def _adds_users(self, connection: AsyncConnection) -> bool:
        if self._may_add_users is None:
            self._may_add_users = bool((await connection.execute(_MAY_ADD_USERS)).scalar_one())
        return self._may_add_users

    @asynccontextmanager
    async def _begin(self, *, callers: bool = False) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (OperationalError, InterfaceError, PoolTimeoutError, psycopg.OperationalError) as error:
            raise UnreachableError(f"Postgres does not serve the API ({type(error).__name__})") from error
        except (DataError, psycopg.DataError, psycopg.errors.CheckViolation) as error:
            # What a caller sent fits our contract, but not a column.
            raise InvalidError([FieldError("", "holds a value that cannot be stored or looked up")]) from error
        except DBAPIError as error:
            if (known := _known(error, callers=callers)) is None:
                raise
            raise known from error
        except psycopg.Error as error:
            if not is_transient(error):
                raise
            raise _unserved(error) from error


def _known(error: DBAPIError, *, callers: bool) -> HeadraceError | None:
    """Return what an error means to who asked; None: it is a mistake of ours."""
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(error, IntegrityError):
        if state == _NO_SUCH_ROW:
            return InvalidError([FieldError("", "the token's user does not exist in auth.users")])
        return InvalidError([FieldError("", "holds a value that cannot be stored")]) if state == _CHECK else None
    if isinstance(error.orig, psycopg.Error) and state == _CONFLICT:
        return ConflictError(error.orig.diag.message_primary or "")
    if callers and state == _NOT_PERMITTED:
        return _refused(error)
    if error.connection_invalidated:
        return UnreachableError("The connection to Postgres broke")
    return _unserved(error.orig) if isinstance(error.orig, psycopg.Error) and is_transient(error.orig) else None


def _unserved(error: psycopg.Error) -> UnreachableError:
    """Return what is a state of Postgres, and no fault of the statement: it takes no writes, say, as a standby."""
    return UnreachableError(f"Postgres does not serve the API ({type(error).__name__})")


def _refused(error: DBAPIError) -> NotPermittedError:
    """Note that the second wall has held where the first has not, which is a mistake of ours, and say so."""
    DATABASE_REFUSALS.inc()
    why = {"why": str(error.orig).partition("\n")[0]}
    _LOG.error("the database refuses what the API let through", extra=why)
    return NotPermittedError([FieldError("", "the database does not let this caller do this")])


def _json_text(value: Any) -> str:
    return orjson.dumps(value, default=written).decode()
