"""The test session's Postgres, a migrated template, and a database of its own for each test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from app.embedded.postgres import make_postgres
from app.embedded.service import start

# Tests make and drop a database each, and every drop is a checkpoint. A power cut is not among what they try; what
# they kill is the server, and for that the kernel's cache is enough.
_FAST = {"fsync": "off", "full_page_writes": "off"}


@contextmanager
def running_postgres(home: Path) -> Iterator[str]:
    """Yield an administrator's URL of a Postgres whose data is in ``home``; end it after.

    Raises:
        SetupError: There is no way to a Postgres; the tests fail with what to install.
    """
    postgres = make_postgres(home, settings=_FAST)
    start(postgres)
    try:
        yield postgres.url
    finally:
        postgres.stop()


@contextmanager
def new_database(admin_url: str, *, template: str = "template0") -> Iterator[str]:
    """Yield the URL of a database made from ``template``; drop it after, whoever is still connected."""
    name = f"headrace_test_{uuid4().hex[:12]}"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    try:
        yield urlunsplit(urlsplit(admin_url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def database_name(url: str) -> str:
    """Return the database that ``url`` names."""
    return urlsplit(url).path.lstrip("/")
