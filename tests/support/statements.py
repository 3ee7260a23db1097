"""Every statement that workers and schedulers send to Postgres, and the plan that it keeps for each."""

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

import psycopg

import app.adapters.postgres as adapters

_VERBS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
# A place to fill, or a parameter as SQLAlchemy writes it.
_NOT_OURS: Final = re.compile(r"\{\w+\}|(?<![:\w]):[a-z]")


def statements() -> Iterator[tuple[str, str]]:
    """Yield each module-level text that is a statement, with its name; pieces with a place to fill are none.

    The API's go through SQLAlchemy, and its connections prepare nothing.
    """
    for found in pkgutil.iter_modules(adapters.__path__):
        module = import_module(f"{adapters.__name__}.{found.name}")
        for name, value in vars(module).items():
            if isinstance(value, str) and value.strip().startswith(_VERBS) and not _NOT_OURS.search(value):
                yield f"{found.name}.{name}", value


def numbered(statement: str) -> str:
    """Return a statement with ``$1`` for its parameters, however they are written."""
    names: dict[str, int] = {}

    def place(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        return f"${names.setdefault(match[1] or str(len(names)), len(names) + 1)}"

    return re.sub(r"%%|%s|%\((\w+)\)s", place, statement)


async def prepare(connection: psycopg.AsyncConnection[Any], name: str, statement: str) -> None:
    """Prepare a statement by name."""
    await connection.execute(f'PREPARE "{name}" AS {numbered(statement)}'.encode(), prepare=False)


async def plan(connection: psycopg.AsyncConnection[Any], name: str) -> dict[str, Any]:
    """Return the plan that a prepared statement has."""
    query = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = %s"
    row = await (await connection.execute(query, (name,), prepare=False)).fetchone()
    assert row is not None
    arguments = f"({', '.join(['NULL'] * row[0])})" if row[0] else ""
    explain = f'EXPLAIN (FORMAT JSON, VERBOSE) EXECUTE "{name}"{arguments}'
    shown = await connection.execute(explain.encode(), prepare=False)
    found = await shown.fetchone()
    assert found is not None
    whole: dict[str, Any] = found[0][0]["Plan"]
    return whole
