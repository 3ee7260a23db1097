"""What should have happened, computed by Postgres over the raw JSON from hand-written SQL (``oracle/*.sql``).

Shares no code with the product: ids are computed here a second time, from the specification of their names.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

_FOLDER: Final = Path(__file__).with_name("oracle")


@dataclass(frozen=True, slots=True)
class Expected:
    """One execution as it should be.

    Attributes:
        source: CloudEvents source of its event, with ``event_id`` its identity.
        verdicts: Whether each condition and group held, in the log's order.
        statuses: Each action's status; empty where the conditions are not met.
        effects: ``{step, kind, …}`` each; empty where the conditions are not met.
    """

    execution_id: UUID
    source: str
    event_id: str
    met: bool
    verdicts: tuple[bool, ...]
    status: str
    statuses: tuple[str, ...]
    effects: tuple[dict[str, Any], ...]

    def command_id(self, step: int) -> UUID:
        """Return the id of one of its steps, in its first attempt."""
        return uuid5(self.execution_id, json.dumps([1, step], separators=(",", ":")))


class Oracle:
    """A database of raw events.

    Args:
        url: An empty database; the oracle's own.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def load(self, lines: Iterable[str]) -> None:
        """Load raw events, one JSON text each, in the order they are emitted."""
        with psycopg.connect(self._url) as connection, connection.cursor() as cursor:
            cursor.execute((_FOLDER / "schema.sql").read_bytes())
            with cursor.copy("COPY raw_events (event) FROM STDIN") as copy:
                for line in lines:
                    copy.write_row((line,))
            cursor.execute("REFRESH MATERIALIZED VIEW events")
            cursor.execute("ANALYZE events")

    def expected(self, name: str, workflow_id: UUID) -> dict[UUID, Expected]:
        """Return every execution of one workflow, by id."""
        query = sql.SQL((_FOLDER / f"{name}.sql").read_text(encoding="utf-8"))
        with psycopg.connect(self._url, row_factory=dict_row) as connection:
            made = [_expected(workflow_id, row) for row in connection.execute(query)]
        return {one.execution_id: one for one in made}

    def events(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the distinct events by (source, id)."""
        with psycopg.connect(self._url) as connection:
            rows = connection.execute("SELECT source, id, event FROM events").fetchall()
        return {(source, event_id): event for source, event_id, event in rows}


def _expected(workflow_id: UUID, row: dict[str, Any]) -> Expected:
    name = json.dumps([row["source"], row["id"]], ensure_ascii=False, separators=(",", ":"))
    met = row["met"]
    return Expected(
        uuid5(workflow_id, name),
        row["source"],
        row["id"],
        met,
        tuple(row["verdicts"]),
        row["status"] if met else "skipped",
        tuple(row["statuses"]) if met else (),
        tuple(row["effects"]) if met else (),
    )
