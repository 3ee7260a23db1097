"""Bring a database to the current schema: alembic on one connection, in one transaction, one process at a time."""

from importlib.resources import as_file, files
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

_LOCK = 0x6865616472616365  # "headrace": any number that nobody else locks


def upgrade(database_url: str) -> None:
    """Apply every migration that is missing; a second starter waits for the first and finds nothing to do.

    All of it is one transaction: a migration that fails leaves the database as it was.

    Args:
        database_url: Any libpq connection string; its user owns the tables and may switch to the roles.

    Raises:
        sqlalchemy.exc.DBAPIError: Postgres refused or does not answer; the text never holds the password.
    """

    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(database_url, application_name="headrace migrate", connect_timeout=10)

    # The URL only names the dialect: libpq itself reads the connection string, whatever form it has.
    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    with as_file(files("deploy.migrations")) as scripts, engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        connection.exec_driver_sql("SET LOCAL search_path = public")
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
