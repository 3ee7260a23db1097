"""The reference systems in our own Postgres: rows of things, their states, and their events in the outbox."""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import orjson
import psycopg
from psycopg.rows import dict_row

from app.adapters.postgres.announcing import shown
from app.adapters.postgres.crm import PostgresCrm
from app.adapters.postgres.outbox_rows import announce
from app.domain.errors import ConflictError, KeyReusedError, NotFoundError
from app.ports import Cause
from app.ports.systems import Kind, Row, Wanted
from app.services.ingest.announcer import Announcer
from app.topics import Topics
from schemas.stored_json import read_json

Connect = Callable[[], AbstractAsyncContextManager[psycopg.AsyncConnection[Any]]]

_ADD_CUSTOMER: Final = """
    INSERT INTO crm.customers (customer_id, profile) VALUES (%s, %s::jsonb) ON CONFLICT (customer_id) DO NOTHING
    RETURNING customer_id
"""
_ADD_TAGS: Final = "INSERT INTO crm.tags (customer_id, tag) SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING"
# Each part reads a range of an index and stops; the id itself sorts before those that only begin with it. Nothing sorts
# after the highest character there is.
_FIND_CUSTOMERS: Final = """
    (SELECT customer_id FROM crm.customers
      WHERE customer_id COLLATE "C" >= %(words)s AND customer_id COLLATE "C" < %(words)s || U&'\\+10FFFF'
      ORDER BY customer_id COLLATE "C" LIMIT %(limit)s)
    UNION ALL (SELECT customer_id FROM crm.customers
      WHERE email_begins >= lower(%(words)s) AND email_begins < lower(%(words)s) || U&'\\+10FFFF'
      ORDER BY email_begins LIMIT %(limit)s)
    UNION ALL (SELECT customer_id FROM crm.customers
      WHERE name_begins >= lower(%(words)s) AND name_begins < lower(%(words)s) || U&'\\+10FFFF'
      ORDER BY name_begins LIMIT %(limit)s)
    UNION ALL (SELECT customer_id FROM crm.customers
      WHERE last_name_begins >= lower(%(words)s) AND last_name_begins < lower(%(words)s) || U&'\\+10FFFF'
      ORDER BY last_name_begins LIMIT %(limit)s)
"""
_LOCK_CUSTOMER: Final = "SELECT customer_id FROM crm.customers WHERE customer_id = %s FOR UPDATE"
_FORGET_CUSTOMER: Final = (
    "DELETE FROM crm.tags WHERE customer_id = %s",
    "DELETE FROM crm.notes WHERE customer_id = %s",
    "DELETE FROM crm.customers WHERE customer_id = %s",
)
_FINISH_TASK: Final = "UPDATE crm.tasks SET done_at = coalesce(done_at, now()) WHERE task_id = %s RETURNING task_id"
_REOPENED: Final = "UPDATE crm.conversations SET resolved_at = NULL, updated_at = now() WHERE conversation_id = %s"
_SET_RATE: Final = """
    INSERT INTO affiliates.affiliates (affiliate_id, rate) VALUES (%s, %s)
    ON CONFLICT (affiliate_id) DO UPDATE SET rate = excluded.rate
"""
_REMEMBER: Final = "UPDATE crm.requests SET status = %s, answer = %s::jsonb WHERE key = %s"
_CLAIM_KEY: Final = """
    INSERT INTO crm.requests (key, request, body) VALUES (%s, %s, %s) ON CONFLICT (key) DO NOTHING RETURNING key
"""
_RECALL: Final = "SELECT request, body, status, answer::text AS answer FROM crm.requests WHERE key = %s"


class PostgresRepository:
    """Work on the reference systems within one transaction.

    Args:
        connection: A connection in a transaction, in the workers' role.
        topics: Names of the topics.
        cause: What asks for the changes.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any], topics: Topics, cause: Cause | None) -> None:
        self._connection = connection
        self._topics = topics
        self.cause = cause
        self.crm = PostgresCrm(connection, topics)

    async def rows(self, statement: str, values: Any = ()) -> list[Row]:
        """Run a statement; rows come as events show them."""
        cursor = self._connection.cursor(row_factory=dict_row)
        await cursor.execute(statement.encode(), values)
        return [shown(row) for row in await cursor.fetchall()] if cursor.description else []

    async def get(self, kind: Kind, thing_id: Any, *, lock: bool = False) -> Row:
        """Return one thing.

        Raises:
            NotFoundError: There is no such row.
        """
        found = await self.find(kind, thing_id, lock=lock)
        if found is None:
            raise NotFoundError(f"There is no such {kind.name}")
        return found

    async def find(self, kind: Kind, thing_id: Any, *, lock: bool = False) -> Row | None:
        """Return one thing, or None."""
        query = f"SELECT {kind.columns} FROM {kind.table} WHERE {kind.key} = %s" + (" FOR UPDATE" if lock else "")  # noqa: S608 - our names
        rows = await self.rows(query, (thing_id,))
        return _read(kind, rows[0]) if rows else None

    async def add(self, kind: Kind, values: Mapping[str, Any]) -> Row | None:
        """Store a thing; None where there is one of its id already, which is left as it is."""
        names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
        rows = await self.rows(
            f"INSERT INTO {kind.table} ({names}) VALUES ({marks})"  # noqa: S608 - our names
            f" ON CONFLICT ({kind.key}) DO NOTHING RETURNING {kind.columns}",
            tuple(values.values()),
        )
        return _read(kind, rows[0]) if rows else None

    async def move(self, kind: Kind, thing_id: Any, to: str) -> tuple[Row, bool]:
        """Bring a thing into a state; returns it, and whether that changed anything.

        Raises:
            NotFoundError: There is no such row.
            ConflictError: The state cannot be reached from the one it is in.
        """
        thing = await self.get(kind, thing_id, lock=True)
        if thing["status"] == to:
            return thing, False
        if thing["status"] not in kind.before[to]:
            possible = " or ".join(kind.before[to])
            raise ConflictError(f"The {kind.name} is {thing['status']}; only one that is {possible} becomes {to}")
        stamp = kind.stamps.get(to)
        also = f", {stamp} = now()" if stamp else ""
        rows = await self.rows(
            f"UPDATE {kind.table} SET status = %s{also} WHERE {kind.key} = %s RETURNING {kind.columns}",  # noqa: S608 - our names
            (to, thing_id),
        )
        return _read(kind, rows[0]), True

    async def page(self, kind: Kind, wanted: Wanted) -> list[Row]:
        """Return things, newest first."""
        rows = await self.rows(
            f"""SELECT {kind.columns}, {kind.when} AS listed_at FROM {kind.table}
            WHERE (%(customer)s::text IS NULL OR {kind.customer} = %(customer)s)
              AND (%(status)s::text IS NULL OR {kind.status or "''"} = %(status)s)
              AND (%(at)s::timestamptz IS NULL
                OR ({kind.when}, {kind.key}::text COLLATE "C") < (%(at)s, %(after)s))
            ORDER BY {kind.when} DESC, {kind.key}::text COLLATE "C" DESC LIMIT %(limit)s""",  # noqa: S608 - our names
            {name: getattr(wanted, name) for name in Wanted.__slots__},
        )
        return [_read(kind, row) for row in rows]

    async def customer(self, customer_id: str) -> Row:
        """Return a customer as events show them, known or not."""
        return (await self.crm.customers([customer_id])).get(customer_id, {"id": customer_id, "tags": []})

    async def find_customers(self, words: str, limit: int) -> list[Row]:
        """Return customers by an id or the beginning of what they are called, at most so many."""
        rows = await self.rows(_FIND_CUSTOMERS, {"words": words, "limit": limit})
        ids = list(dict.fromkeys(row["customer_id"] for row in rows))[:limit]
        found = await self.crm.customers(ids)
        return [found[one] for one in ids if one in found]

    async def meet(self, customer_id: str) -> None:
        """Enter a customer who is not known yet, without an event."""
        await self.crm.meet([customer_id])

    async def add_customer(self, customer_id: str, profile: str, tags: Sequence[str]) -> bool:
        """Enter a customer with a profile (JSON) and tags; False where there is one of this id."""
        if not await self.rows(_ADD_CUSTOMER, (customer_id, profile)):
            return False
        if tags:
            await self.rows(_ADD_TAGS, (customer_id, sorted(set(tags))))
        return True

    async def lock_customer(self, customer_id: str) -> None:
        """Keep others from changing a customer until the transaction ends."""
        await self.rows(_LOCK_CUSTOMER, (customer_id,))

    async def forget_customer(self, customer_id: str) -> None:
        """Delete a customer with tags and notes."""
        for statement in _FORGET_CUSTOMER:
            await self.rows(statement, (customer_id,))

    async def finish_task(self, task_id: Any) -> bool:
        """Note when a task was done first; False where there is no such task."""
        return bool(await self.rows(_FINISH_TASK, (task_id,)))

    async def forget_resolution(self, conversation_id: str) -> None:
        """Forget when a conversation was resolved."""
        await self.rows(_REOPENED, (conversation_id,))

    async def set_rate(self, affiliate_id: str, rate: Decimal) -> None:
        """Make a customer a partner, or change a partner's rate."""
        await self.rows(_SET_RATE, (affiliate_id, rate))

    async def of_order(self, kind: Kind, order_id: str) -> Row | None:
        """Return the thing of this kind that belongs to an order, or None."""
        rows = await self.rows(f"SELECT {kind.columns} FROM {kind.table} WHERE order_id = %s", (order_id,))  # noqa: S608 - our names
        return rows[0] if rows else None

    async def announce(self, source: str, event_type: str, entity: str, data: Mapping[str, Any]) -> None:
        """Announce a change, in this transaction."""
        event = Announcer(self._topics, source).event(event_type, entity, data, self.cause)
        await announce(self._connection, [event])

    async def recall(self, key: str, request: bytes, body: bytes | None) -> tuple[int, Any] | None:
        """Return what a request under this key was answered; None where it is the first one, which is noted.

        Who asks at the same time waits here for the first to end.

        Raises:
            KeyReusedError: The key was used for another request.
        """
        digest = hashlib.sha256(request).hexdigest()
        of_body = None if body is None else hashlib.sha256(body).hexdigest()
        if await self.rows(_CLAIM_KEY, (key, digest, of_body)):
            return None
        (known,) = await self.rows(_RECALL, (key,))
        # An older version has noted no bodies: what began there is told by method and path, as it was.
        if known["request"] != digest or known["body"] not in {None, of_body}:
            raise KeyReusedError
        return known["status"], read_json(known["answer"])

    async def remember(self, key: str, status: int, answer: Any) -> None:
        """Keep what the first request under this key was answered."""
        await self.rows(_REMEMBER, (status, orjson.dumps(answer).decode(), key))


@dataclass(frozen=True, slots=True)
class PostgresSystems:
    """The reference systems of one installation.

    Attributes:
        connect: Lends a connection in a transaction, in the workers' role; it commits unless the block raises.
        topics: Names of the topics that their events go to.
    """

    connect: Connect
    topics: Topics

    @asynccontextmanager
    async def open(self, cause: Cause | None) -> AsyncIterator[PostgresRepository]:
        """Work within one transaction."""
        async with self.connect() as connection:
            yield PostgresRepository(connection, self.topics, cause)


def _read(kind: Kind, row: Row) -> Row:
    return {**row, **{name: read_json(row[name]) for name in kind.json}}
