"""A worker that waits for Postgres is not stuck: its watchdog asks Postgres too (docs/design.md#32-watchdog)."""

import logging
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from app.adapters.postgres.pool import ping
from app.domain.errors import UnreachableError
from app.processes.role_names import role_names
from app.processes.vitals import vitals_of
from app.processes.worker import build_role
from app.settings import Settings

pytestmark = pytest.mark.postgres

READERS = [role for role in role_names() if role != "scheduler"]


def settings(url: str, home: Path) -> Settings:
    """Settings of a worker on this Postgres."""
    return Settings(DATABASE_URL=SecretStr(url), data_dir=home)


def away(port: int) -> str:
    """The URL of a Postgres that is not there."""
    return f"postgresql://someone:hidden@127.0.0.1:{port}/x"


@pytest.mark.parametrize("role", READERS)
async def test_every_roles_watchdog_asks_postgres(
    role: str, database: str, free_port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """While Postgres is away it says so and counts nothing as stuck; while Postgres answers it says no such thing."""
    with caplog.at_level(logging.INFO, logger="app.adapters.kafka.watchdog"):
        await watchdog(built(role, settings(away(free_port), tmp_path))).look()
        (line,) = caplog.records
        assert vars(line)["why"].startswith("UnreachableError('Postgres does not answer")
        caplog.clear()
        await watchdog(built(role, settings(database, tmp_path))).look()
        assert "Postgres" not in caplog.text


async def test_a_ping_tells_no_secret(free_port: int, tmp_path: Path) -> None:
    """A Postgres that is away is reported without user and password."""
    with pytest.raises(UnreachableError) as failure:
        await ping(settings(away(free_port), tmp_path))
    assert str(failure.value) == "Postgres does not answer (OperationalError)"


def built(role: str, of: Settings) -> Any:
    """A role's app."""
    return build_role(role, of, vitals_of(role, of, CollectorRegistry()))


def watchdog(app: Any) -> Any:
    """The app's watchdog, which nothing but the app itself calls."""
    return dict(app._beside)["watchdog"].__self__  # noqa: SLF001 - see above
