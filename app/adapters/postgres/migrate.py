"""Bring a database to the current schema: alembic on one connection, in one transaction, one process at a time."""

from importlib.resources import as_file, files
from typing import Any, Final

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

# As alembic makes it: it is what migrations take turns by, because only its owner can lock it.
_VERSION: Final = """
CREATE TABLE headrace_schema_version (
  version_num varchar(32) NOT NULL CONSTRAINT headrace_schema_version_pkc PRIMARY KEY
)
"""
_IS_THERE: Final = "SELECT to_regclass('public.headrace_schema_version') IS NOT NULL"
# A role that may name the table could keep a stronger mode out, by preparing a statement that they may not execute.
_LOCK: Final = "LOCK TABLE headrace_schema_version IN SHARE UPDATE EXCLUSIVE MODE"


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

    # The URL only names the dialect: libpq itself reads the connection string, in all its forms.
    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    with as_file(files("deploy.migrations")) as scripts, engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL search_path = public")
        _take_turn(connection)
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _take_turn(connection: Connection) -> None:
    """Wait until no other migration is under way, and keep others away until this transaction ends."""
    if not connection.exec_driver_sql(_IS_THERE).scalar_one():
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(_VERSION)
        except DBAPIError:
            # Another has made it meanwhile: this one has waited for the end of that transaction.
            if not connection.exec_driver_sql(_IS_THERE).scalar_one():
                raise
    connection.exec_driver_sql(_LOCK)
