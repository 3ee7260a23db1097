"""A Postgres that is not ours: asked whether it serves, before anything is started."""

import time

import psycopg

from app.domain.dsn import dsn_problem
from app.domain.errors import SetupError


class ExternalPostgres:
    """A Postgres that is not ours."""

    name = "postgres"
    pid: int | None = None

    def __init__(self, database_url: str) -> None:
        self.url = database_url

    def prepare(self) -> None:
        """Nothing: it is there or not."""

    def spawn(self) -> None:
        """Nothing: it runs already."""

    def wait_ready(self) -> None:
        """Check that it answers.

        Raises:
            SetupError: It does not; the message carries no password.
        """
        why = dsn_problem(self.url) or _refusal(self.url)
        if why:
            raise SetupError(f"Postgres does not answer: {why}; check DATABASE_URL, or unset it")

    def alive(self) -> bool:
        """Return True: its life is not ours to watch."""
        return True

    def stop(self) -> None:
        """Nothing: it is not ours."""


def _refusal(url: str) -> str | None:
    """Return why the server behind ``url`` cannot be used now (no password in it); None if it can."""
    started = time.monotonic()
    try:
        with psycopg.connect(url, connect_timeout=3):
            return None
    except psycopg.Error as error:
        lines = str(error).strip().splitlines()
        return lines[0] if lines else f"no answer after {time.monotonic() - started:.0f} s"
