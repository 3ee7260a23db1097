"""What a role does not need is not in its memory: three quarters of an idle worker were modules."""

import os
import subprocess
import sys
from typing import Final

import pytest

from app.actions.families import FAMILIES
from app.actions.registry import REGISTRY
from app.processes.role_names import OPTIONAL_ROLES, role_names

_BUILD: Final = """
import sys
import app.processes.logs
from pydantic import SecretStr
from app.commands.worker import worker
from app.processes.vitals import vitals_of
from app.processes.worker import build_role, metrics_of
from app.settings import Settings
role = sys.argv[1]
sources = '[{"name": "crm", "topic": "crm", "type": "order.created", "entity": "customer"}]'
url = SecretStr("postgresql://headrace@127.0.0.1/headrace")
settings = Settings.model_validate({"DATABASE_URL": url, "sources": sources})
if role == "scheduler":
    import app.processes.scheduler
else:
    build_role(role, settings, vitals_of(role, settings, metrics_of(role, settings)))
print(*sys.modules, sep="\\n")
"""
# The API's, a command's, or the embedded default's; what is loaded by the first notification, request or secret; and
# what Faust would load for nothing.
_NO_WORKERS: Final = {
    "aiohttp",
    "alembic",
    "apprise",
    "argon2",
    "croniter",
    "cryptography",
    "dateutil",
    "docker",
    "jwt",
    "opentelemetry",
    "pygments",
    "requests",
    "rich",
    "sqlalchemy",
    "testcontainers",
    "yaml",
}


def loaded(role: str) -> set[str]:
    """Return the modules that a process has loaded once it has built a role, and connected to nothing."""
    ran = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", _BUILD, role], check=True, capture_output=True, text=True, env=dict(os.environ)
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize("role", [*role_names(), *OPTIONAL_ROLES])
def test_a_role_loads_what_it_needs(role: str) -> None:
    """None loads what only the API, a command or the embedded default uses, nor another role, nor another's actions."""
    modules = loaded(role)
    assert not {name.partition(".")[0] for name in modules} & _NO_WORKERS
    own = role.partition("-")[0]
    assert {name for name in modules if name.startswith("agents.")} <= {"agents.reading", f"agents.{own}"}
    families = [family for family in FAMILIES if role == f"executor-{family}"]
    own_actions = {f"app.actions.{name}" for family in families for name in REGISTRY.names(family)}
    assert modules & {f"app.actions.{name}" for name in REGISTRY.names()} <= own_actions


def test_a_worker_that_sends_http_needs_no_server_for_it() -> None:
    """The client that is loaded with the first request is small: aiohttp would be five megabytes of a worker."""
    told = subprocess.run(
        [sys.executable, "-c", 'import sys, app.adapters.http.client; print(*sys.modules, sep="\\n")'],
        check=True,
        capture_output=True,
        text=True,
    )
    assert not {name.partition(".")[0] for name in told.stdout.split()} & _NO_WORKERS


def test_the_supervisor_of_make_up_stays_small() -> None:
    """It lives as long as what it started: HTTP, tokens, SQLAlchemy and Faust are its children's."""
    told = subprocess.run(
        [sys.executable, "-c", 'import sys, app.processes.logs, app.commands.up; print(*sys.modules, sep="\\n")'],
        check=True,
        capture_output=True,
        text=True,
    )
    assert not set(told.stdout.split()) & {
        *("aiohttp", "cryptography", "docker", "faust", "jwt", "pygments", "rich", "sqlalchemy"),
    }
