"""Every single query of the API with its time, from Postgres's own log: parsing, planning and running together.

The API's login is told to log each statement (``log_min_duration_statement = 0``), as JSON with the statement's
``query_id``. The driver prepares nothing, so that each query is three lines of its session: parse, bind (which plans)
and execute.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import psycopg

from tests.benchmarks.measure import percentile

SETTINGS: Final = {
    "logging_collector": "on",
    "log_destination": "jsonlog",
    "log_directory": "statements",
    "log_filename": "statements.log",
    "log_truncate_on_rotation": "off",
    "log_rotation_age": "0",
    "log_rotation_size": "0",
    "log_parameter_max_length": "0",
    "compute_query_id": "on",
}
_LINE: Final = re.compile(r"duration: ([0-9.]+) ms(?:  (parse|bind|execute|statement)[^:]*: (.*))?", re.DOTALL)
_SPACE: Final = re.compile(r"\s+")
_SHOWN: Final = 160


@dataclass(frozen=True, slots=True)
class Statement:
    """One form of query: how often it ran, and its milliseconds."""

    text: str
    runs: int
    p99_ms: float
    most_ms: float


class StatementLog:
    """What Postgres logs of one login's statements, from when it is made.

    Args:
        url: An administrator's URL of the database.
        login: The login user.
    """

    def __init__(self, url: str, login: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"ALTER ROLE {login} SET log_min_duration_statement = 0".encode())
            row = connection.execute(
                "SELECT current_setting('data_directory'), pg_current_logfile('jsonlog')"
            ).fetchone()
        assert row is not None
        self._file = Path(row[0]) / (row[1] or "")
        self._login = login
        self._url = url
        self.begin()

    def begin(self) -> None:
        """Leave out what was logged so far."""
        self._from = self._file.stat().st_size

    def stop(self) -> None:
        """Log no more."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"ALTER ROLE {self._login} RESET log_min_duration_statement".encode())

    def statements(self) -> list[Statement]:
        """Return each form of query since the beginning, the slowest first."""
        with self._file.open("rb") as file:
            file.seek(self._from)
            return summarised(_entries(file, self._login))


def _entries(lines: Iterable[bytes], login: str) -> Iterator[dict[str, Any]]:
    for line in lines:
        entry = orjson.loads(line)
        if entry.get("user") == login:
            yield entry


def summarised(entries: Iterable[dict[str, Any]]) -> list[Statement]:
    """Return the statements of entries of the log, each session's in order."""
    begun: dict[int, float] = defaultdict(float)
    times: dict[int, list[float]] = defaultdict(list)
    texts: dict[int, str] = {}
    for entry in entries:
        match = _LINE.match(entry.get("message", ""))
        if match is None:
            continue
        session, step = int(entry["pid"]), match[2]
        begun[session] += float(match[1])
        if step in {"execute", "statement", None}:
            which = int(entry.get("query_id", 0))
            times[which].append(begun.pop(session))
            texts.setdefault(which, _SPACE.sub(" ", match[3] or "")[:_SHOWN])
    found = [Statement(texts[one], len(ms), percentile(ms, 0.99), max(ms)) for one, ms in times.items()]
    return sorted(found, key=lambda one: one.p99_ms, reverse=True)
