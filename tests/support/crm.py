"""The reference CRM as the tests make it."""

from typing import Any, Final

import psycopg

from app.adapters.postgres.crm import PostgresCrm
from app.topics import Topics

TOPICS: Final = Topics("crm-test.")


def crm_over(connection: psycopg.AsyncConnection[Any]) -> PostgresCrm:
    """Return the CRM over a connection; its events go to ``TOPICS``."""
    return PostgresCrm(connection, TOPICS)
