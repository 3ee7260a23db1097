"""The broker and the Postgres that a harness runs on: those the environment names, else embedded ones of its own."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from app.embedded.broker import make_kafka
from app.embedded.postgres import make_postgres
from app.embedded.service import Service, start


@dataclass(frozen=True, slots=True)
class Servers:
    """A broker and a Postgres that serve. ``pid`` of either is None where it is not ours."""

    kafka: Service
    postgres: Service
    home: Path

    @property
    def bootstrap(self) -> str:
        """Kafka's bootstrap servers."""
        return self.kafka.url

    def fresh_database(self, name: str) -> str:
        """Make an empty database, in place of one of the same name; returns its URL."""
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            quoted = sql.Identifier(name)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(quoted))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
        return with_database(self.postgres.url, name)

    def database(self, name: str) -> str:
        """Make a database if it is not there; returns its URL."""
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return with_database(self.postgres.url, name)

    def stamp_commits(self) -> None:
        """Have Postgres keep each transaction's commit time; restarts it where that is not on yet.

        Raises:
            RuntimeError: It is off, and the server is not ours to restart.
        """
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            if connection.execute("SHOW track_commit_timestamp").fetchone() == ("on",):
                return
            if self.postgres.pid is None:
                raise RuntimeError(
                    "set track_commit_timestamp = on in this Postgres and restart it, or unset DATABASE_URL"
                )
            connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        self.postgres.stop()
        start(self.postgres)


@contextmanager
def servers(
    home: Path, *, long_lived: bool = False, postgres_settings: Mapping[str, str] | None = None
) -> Iterator[Servers]:
    """Start what the environment does not name, with data under ``home``; stop it afterwards.

    ``long_lived`` servers may take some minutes until they run at their best; ``postgres_settings`` are for a Postgres
    that is started here.
    """
    kafka = make_kafka(home, long_lived=long_lived)
    postgres = make_postgres(home, settings=postgres_settings)
    try:
        start(kafka)
        start(postgres)
        yield Servers(kafka, postgres, home)
    finally:
        postgres.stop()
        kafka.stop()


def with_database(url: str, name: str) -> str:
    """Return ``url`` with another database's name."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def harness_home(name: str) -> Path:
    """Return the data folder of one harness: ``HEADRACE_HOME`` or ``.headrace`` of the clone, and a name below it."""
    root = os.environ.get("HEADRACE_HOME")
    return (Path(root) if root else Path(__file__).resolve().parents[2] / ".headrace").resolve() / name
