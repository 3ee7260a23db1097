"""Why Postgres refuses a row, in our words: by its code, and the names of fields that people know.

Postgres's own words hold values of the row, which may be anybody's secret, and names that only its tables have.
"""

import re
from collections.abc import Mapping
from typing import Final

import psycopg

# As documents have them, where the tables call them otherwise; the longest first, for one may be a part of another.
_FIELDS: Final[Mapping[str, str]] = {
    "execution_duration_ms": "duration_ms",
    "conditions_result": "verdicts",
    "record_timestamp": "timestamp",
    "actions_executed": "results",
    "conditions_met": "conditions_met",
    "automation_id": "workflow_id",
    "error_message": "error",
    "trigger_event": "event",
    "execution_id": "execution_id",
    "event_type": "event.type",
    "event_id": "event.id",
    "entity": "entity",
    "status": "status",
    "source": "source",
    "topic": "topic",
    "reason": "reason",
    "role": "role",
}
_INDEX: Final = re.compile(r'for index "(?P<index>[^"]*)"')
_LENGTH: Final = re.compile(r"character varying\((?P<most>\d+)\)")
_TYPE: Final = re.compile(r"for type (?P<type>[a-z]+)")
_NO_TIME: Final = "a time in it is none, or lies further off than can be stored"
_NO_TEXT: Final = "a text in it cannot be stored: it holds a NUL character or half a surrogate pair, or is no UTF-8"
_SAID: Final[Mapping[str, str]] = {
    "22003": "a number in it is larger than can be stored",
    "22007": _NO_TIME,
    "22008": _NO_TIME,
    "22021": _NO_TEXT,
    "22P05": _NO_TEXT,
    "22023": "it, or a part of it, is of another kind than is stored there, such as an array where an object is",
    "23505": "it is stored already",
    "54000": "a part of it is larger than can be stored",
    "54001": "it nests deeper than can be stored",
}
_TYPES: Final[Mapping[str, str]] = {"json": "JSON", "jsonb": "JSON", "uuid": "an id", "boolean": "true or false"}
_NO_DAY: Final = "executed_at: the log has no such day: it lies more than ten years back, or more than a week ahead"


def in_our_words(error: psycopg.Error) -> str:
    """Say why a row is refused, with the field where it is known, and without anything that the row holds."""
    code = error.sqlstate
    if code is None:
        return "it holds a value that cannot be sent to Postgres"
    said = _of_a_field(error, code) or _of_a_value(error, code) or _SAID.get(code) or "it cannot be stored"
    return f"{said} (SQLSTATE {code})"


def _of_a_field(error: psycopg.Error, code: str) -> str | None:
    diag = error.diag
    if code == "23514" and diag.constraint_name is None:
        return _NO_DAY
    if code == "23502":
        return f"{_field(diag.column_name)}: is missing"
    if code == "23503":
        return f"{_field(diag.constraint_name)}: there is none with this id"
    if code == "23514":
        return f"{_field(diag.constraint_name)}: is nothing that is stored there"
    index = _INDEX.search(diag.message_primary or "")
    return f"{_field(index['index'])}: is longer than can be looked up by, about 2,700 bytes" if index else None


def _of_a_value(error: psycopg.Error, code: str) -> str | None:
    said = error.diag.message_primary or ""
    if code == "22001":
        length = _LENGTH.search(said)
        return f"a text in it has more than {length['most']} characters" if length else "a text in it is too long"
    if code == "22P02":
        kind = _TYPE.search(said)
        return f"a value in it is not {_TYPES.get(kind['type'], 'what it is to be')}" if kind else None
    return None


def _field(name: str | None) -> str:
    """Return what a column, or what a constraint or an index is about, is called in documents; else its own name."""
    return next((field for column, field in _FIELDS.items() if name and column in name), name or "a field")
