"""A stranger with SQL who takes and keeps every lock that Postgres gives them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

_RELATIONS: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v') AND n.nspname IN ('public', 'auth', 'crm', 'sales', 'affiliates') ORDER BY 1, 2
"""
# From the strongest: who has that needs no other.
_LOCKS: Final[Sequence[LiteralString]] = (
    *(
        f"LOCK TABLE {{relation}} IN {mode} MODE NOWAIT"
        for mode in ("ACCESS EXCLUSIVE", "EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE", "SHARE UPDATE EXCLUSIVE")
    ),
    "PREPARE {name} AS DELETE FROM {relation}",
    "PREPARE {name} AS SELECT FROM {relation} FOR UPDATE",
    "LOCK TABLE {relation} IN ACCESS SHARE MODE NOWAIT",
)
_ROWS: Final = "SELECT FROM {relation} FOR UPDATE NOWAIT"


@contextmanager
def hoarding(
    database: str, role: str, *, advisory: Sequence[LiteralString] = (), spared: Sequence[str] = ()
) -> Iterator[list[str]]:
    """Hold, as a role, every lock that it is given on tables, views and rows, and advisory locks; yield what it has.

    Args:
        database: Where it may become the role.
        role: Who takes them.
        advisory: Expressions for the keys of advisory locks to take.
        spared: Relations of ``schema.name`` that it leaves alone.
    """
    with psycopg.connect(database) as connection:
        relations = connection.execute(_RELATIONS).fetchall()
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        for key in advisory:
            connection.execute(sql.SQL("SELECT pg_advisory_lock({})").format(sql.SQL(key)))
        had: list[str] = []
        for number, relation in enumerate(relations):
            if ".".join(relation) not in spared:
                had += _locked(connection, sql.Identifier(*relation), sql.Identifier(f"p{number}"))
        yield had


def _locked(connection: psycopg.Connection[Any], relation: sql.Identifier, name: sql.Identifier) -> Iterator[str]:
    for lock in (*_LOCKS, _ROWS):
        statement = sql.SQL(lock).format(relation=relation, name=name)
        try:
            with connection.transaction():
                connection.execute(statement)
        except psycopg.Error:
            continue
        yield statement.as_string(connection)
        if lock.startswith("LOCK"):
            return
