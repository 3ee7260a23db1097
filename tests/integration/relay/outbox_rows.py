"""Writes to the outbox as a transaction of the API does, and looks into it."""

from typing import Any

import psycopg

from app.adapters.postgres.leading import Duty


async def connect(database: str) -> psycopg.AsyncConnection[Any]:
    """Open a connection; statements belong to a transaction until ``commit``."""
    return await psycopg.AsyncConnection.connect(database)


async def put(connection: psycopg.AsyncConnection[Any], topic: str, *values: bytes | None, key: bytes = b"k") -> None:
    """Put records in the outbox."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO outbox (topic, key, value) VALUES (%s, %s, %s)", [(topic, key, value) for value in values]
        )


async def put_now(database: str, topic: str, *values: bytes | None, key: bytes = b"k") -> None:
    """Put records in the outbox and commit."""
    async with await connect(database) as connection:
        await put(connection, topic, *values, key=key)


async def waiting(database: str) -> int:
    """How many rows wait."""
    async with await connect(database) as connection:
        row = await (await connection.execute("SELECT count(*) FROM outbox")).fetchone()
    assert row is not None
    return int(row[0])


async def holders(database: str) -> list[tuple[int, str]]:
    """Who holds the relay's lock in this database: backend pid and name."""
    query = """
        SELECT pid, application_name
        FROM pg_locks l JOIN pg_database d ON d.oid = l.database JOIN pg_stat_activity USING (pid)
        WHERE mode = 'ShareUpdateExclusiveLock' AND granted AND d.datname = current_database()
          AND relation = %s::regclass
    """
    async with await connect(database) as connection:
        rows = await (await connection.execute(query, (Duty.RELAY.value,))).fetchall()
    return [(int(pid), str(name)) for pid, name in rows]


async def cut(database: str) -> None:
    """End both sessions of the relay that holds the lock, as a network that fails would."""
    query = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = %s
    """
    async with await connect(database) as connection:
        for _, name in await holders(database):
            await connection.execute(query, (name,))


async def cut_lock(database: str) -> None:
    """End the session that holds the relay's lock, and not the one that it works on."""
    async with await connect(database) as connection:
        for pid, _ in await holders(database):
            await connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
