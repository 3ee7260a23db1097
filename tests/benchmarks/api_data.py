"""What ``make bench-api`` looks at: 200 workflows and the log of their executions over 60 days, made within Postgres.

It is kept under ``.headrace`` and goes on from where it was: a run that was broken off, or another day's, makes only
what is missing up to now and drops the days that are over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import disk_usage
from typing import Any, Final

import psycopg
from psycopg import sql

from tests.benchmarks.progress import say

DAYS: Final = 60
WORKFLOWS: Final = 200
_HERE: Final = Path(__file__).parent
_LOG: Final = (_HERE / "api_log.sql").read_text()
_SAMPLES: Final = (_HERE / "api_samples.sql").read_text()
_THINGS: Final = (_HERE / "api_things.sql").read_text()
_BYTES_A_ROW: Final = 2600  # a row with what indexes it, and the log of writing it
_BESIDE: Final = 4 * 1024**3
_AT_ONCE: Final = 100_000
_MADE: Final = "SELECT rows_made, numbered, upto FROM bench.state"
_NOTE: Final = """
UPDATE bench.state SET rows_made = rows_made + %(count)s, numbered = numbered + %(count)s, upto = %(until)s
"""
_OLD: Final = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'automation_logs'::regclass AND right(c.relname, 8) < %s
"""
_RAN: Final = """
INSERT INTO automation_last_runs (automation_id, last_run_at)
SELECT a.id, l.executed_at FROM automations a CROSS JOIN LATERAL (
  SELECT executed_at FROM automation_logs WHERE automation_id = a.id AND attempt > 0 ORDER BY executed_at DESC LIMIT 1
) AS l ON CONFLICT (automation_id) DO UPDATE SET last_run_at = excluded.last_run_at
"""


class NoRoomError(Exception):
    """The disk has not enough left; the text says how much there must be."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one stretch of a day."""

    since: datetime
    until: datetime
    first: int
    count: int


def check_room(home: Path, rows: int, there: int) -> None:
    """Say what the data takes, and refuse to begin where the disk has not that much left.

    Raises:
        NoRoomError: It has not.
    """
    missing = max(0, rows - there)
    needed = missing * _BYTES_A_ROW + _BESIDE
    home.mkdir(parents=True, exist_ok=True)
    free = disk_usage(home).free
    say(f"{there:,} rows are there, {missing:,} to make: needs {needed / 1e9:.0f} GB, {free / 1e9:.0f} GB are free")
    if free < needed:
        raise NoRoomError(f"{home}: {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free")


def rows_made(url: str) -> int:
    """Return how many rows of the log there are; 0 before the first."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT to_regclass('bench.state') IS NOT NULL").fetchone()
        row = connection.execute(_MADE).fetchone() if found == (True,) else None
    return 0 if row is None else int(row[0])


def make(url: str, rows: int) -> None:
    """Make what is missing in a migrated database, as its administrator."""
    with psycopg.connect(url, autocommit=True) as connection:
        # No trigger and no foreign key: what they would check is right as it is made.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '256MB'; SET timezone = 'UTC'")
        if connection.execute("SELECT to_regclass('bench.state') IS NULL").fetchone() == (True,):
            say("workflows, owners, customers and the rest")
            with connection.transaction():
                connection.execute(_THINGS.encode())
                start = datetime.now(UTC) - timedelta(DAYS)
                connection.execute("INSERT INTO bench.state (rows_made, numbered, upto) VALUES (0, 0, %s)", (start,))
            connection.execute("VACUUM ANALYZE")
        connection.execute(_SAMPLES.encode())
        _drop_what_is_over(connection)
        _fill(connection, rows / DAYS)
        connection.execute(_RAN)
        connection.execute("ANALYZE automation_last_runs")


def _drop_what_is_over(connection: psycopg.Connection[Any]) -> None:
    oldest = (datetime.now(UTC) - timedelta(DAYS)).date()
    for (partition,) in connection.execute(_OLD, (f"{oldest:%Y%m%d}",)).fetchall():
        table = sql.Identifier(partition)
        counted = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
        with connection.transaction():
            connection.execute(sql.SQL("DROP TABLE {}").format(table))
            connection.execute("UPDATE bench.state SET rows_made = rows_made - %s", counted)


def _fill(connection: psycopg.Connection[Any], a_day: float) -> None:
    row = connection.execute(_MADE).fetchone()
    assert row is not None
    began = datetime.now(UTC)
    todo = list(pieces(row[2], began, row[1], a_day))
    day = None
    for number, piece in enumerate(todo, start=1):
        if day not in {None, piece.since.date()}:
            connection.execute(f"VACUUM (ANALYZE) automation_logs_{day:%Y%m%d}".encode())
        day = piece.since.date()
        with connection.transaction():
            _add(connection, piece)
        left = (datetime.now(UTC) - began) / number * (len(todo) - number)
        say(f"{day}: {number * 100 // len(todo)} %, {left.total_seconds() / 60:.0f} min left", passing=number % 10 > 0)
    if day is not None:
        connection.execute(f"VACUUM (ANALYZE) automation_logs_{day:%Y%m%d}".encode())


def _add(connection: psycopg.Connection[Any], piece: Piece) -> None:
    """Add a piece; where its day is new its rows come before the indexes, which takes a fraction of the time."""
    day, values = piece.since.date(), {name: getattr(piece, name) for name in Piece.__slots__}
    table, log = sql.Identifier(f"automation_logs_{day:%Y%m%d}"), sql.Identifier("automation_logs")
    made = connection.execute("SELECT headrace_make_log_partition(%s)", (day,)).fetchone()
    statement, whole = sql.SQL(_LOG), made == (True,) and piece.until - piece.since > timedelta(hours=1)
    if whole:
        connection.execute(sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(log, table))
        connection.execute("SELECT bench.bare(%s)", (f"automation_logs_{day:%Y%m%d}",))
    connection.execute(statement.format(table=table if whole else log), values)
    if whole:
        bounds = (sql.Literal(f"{day}"), sql.Literal(f"{day + timedelta(1)}"))
        attach = sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})")
        connection.execute(attach.format(log, table, *bounds))
    connection.execute(_NOTE, values)


def pieces(upto: datetime, until: datetime, numbered: int, a_day: float) -> Iterator[Piece]:
    """Yield what is to be made from a time on, none over two days."""
    first = numbered + 1
    while upto < until:
        midnight = (upto + timedelta(1)).replace(hour=0, minute=0, second=0, microsecond=0)
        end = min(until, midnight, upto + timedelta(days=_AT_ONCE / a_day))
        count = round(a_day * ((end - upto) / timedelta(1)))
        if count:
            yield Piece(upto, end, first, count)
        first, upto = first + count, end
