"""Seals again, with the newest key, all that is kept sealed: after that the older keys may go."""

from collections.abc import Callable
from typing import Final

import psycopg
from psycopg import sql

from app.adapters.postgres.acting import act_as
from app.adapters.postgres.database_roles import DatabaseRole

# Table, its primary key, and the column that is sealed.
SEALED: Final = (("secrets", "name", "value"), ("notification_channels", "id", "url"))


def reseal(database_url: str, renew: Callable[[bytes], bytes]) -> int:
    """Seal every value again, all of them or none; returns how many there are.

    Args:
        database_url: Any libpq connection string.
        renew: Opens with any key and seals with the newest.

    Raises:
        SecretsKeyError: No key opens one of them.
        psycopg.Error: Postgres refused or does not answer.
    """
    count = 0
    with psycopg.connect(database_url, application_name="headrace secrets", connect_timeout=10) as connection:
        connection.execute(act_as(DatabaseRole.SERVICE).encode())
        for table, key, column in SEALED:
            names = {"t": sql.Identifier(table), "k": sql.Identifier(key), "c": sql.Identifier(column)}
            rows = connection.execute(sql.SQL("SELECT {k}, {c} FROM {t} FOR UPDATE").format(**names)).fetchall()
            update = sql.SQL("UPDATE {t} SET {c} = %s WHERE {k} = %s").format(**names)
            for row_key, sealed in rows:
                connection.execute(update, (renew(bytes(sealed)), row_key))
            count += len(rows)
    return count
