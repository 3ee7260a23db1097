"""``headrace up`` as a user meets it: the demo runs, the printed call works, what dies comes back, nothing is left."""

import asyncio
import json
import os
import re
import signal
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from app.processes.role_names import role_names
from tests.embedded.test_privacy import open_to_others
from tests.embedded.up import headrace
from tests.support.deadlines import scaled
from tests.support.postgres import new_database
from tests.support.session_home import session_home
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(400)]


@pytest.fixture
def environment(kafka: str, postgres: str, topic_prefix: str) -> Iterator[dict[str, str]]:
    """Variables for an installation of the test's own, on the session's broker and an empty database."""
    with session_home() as home, new_database(postgres) as database_url:
        yield {
            **os.environ,
            "HEADRACE_HOME": str(home),
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "DATABASE_URL": database_url,
            "HEADRACE_TOPIC_PREFIX": topic_prefix,
            "HEADRACE_EVENTS_PARTITIONS": "2",
            "HEADRACE_ACTIONS_PARTITIONS": "2",
        }


async def test_an_installation_from_start_to_stop(environment: dict[str, str]) -> None:
    """It shows its demo, answers the printed call, brings back a killed role, survives its supervisor, and stops."""
    home = Path(environment["HEADRACE_HOME"])
    try:
        said = await headrace(environment, "up", "--detach")
        lines = said.splitlines()
        assert lines[-1] == "ready"
        assert "Templates: 8 built in, 8 stored or brought up to date" in lines
        assert [line.split()[-3] for line in lines if "Demo: " in line and line.endswith(" ms")] == ["success"] * 3
        assert any("Webhooks may reach private networks here" in line for line in lines)
        await _check_privacy(environment, said)
        await _check_printed_call(next(line.strip() for line in lines if line.strip().startswith("curl ")))
        _check_logins(environment)
        await _check_pages(environment, said)
        await _check_killed_role(environment)
        await _check_more_partitions(environment)
        left = await _kill_supervisor(environment)
        assert (await headrace(environment, "up", "--detach", "--no-demo")).splitlines()[-1] == "ready"
        assert not [process for process in left if process.is_running()]
    finally:
        await headrace(environment, "down")
    assert not list((home / "pids").iterdir())
    assert not (home / "up.json").exists()


async def _check_privacy(environment: dict[str, str], said: str) -> None:
    """Files are for their owner alone, and neither what is said nor a log nor a command line has what lets one in."""
    home = Path(environment["HEADRACE_HOME"])
    assert open_to_others(home) == []
    info = await _info(environment)
    held = json.loads((home / "secret.json").read_text()) | json.loads((home / "providers.json").read_text())
    secrets = [info["admin_token"], info["database_url"], *held.values()]
    password = re.search(r":([^:@/]+)@", info["database_url"])
    secrets += [password[1]] if password else []
    logs = [file.read_text(errors="replace") for file in (home / "logs").iterdir()]
    lines = [" ".join(psutil.Process(pid).cmdline()) for pid in info["roles"].values()]
    plain = await headrace(environment, "dev", "info")
    for secret in (secret for secret in secrets if len(secret) > 15):
        assert not any(secret in text for text in (said, plain, *logs, *lines))


async def _check_printed_call(curl: str) -> None:
    process = await asyncio.create_subprocess_shell(curl, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    rows = json.loads(out)["items"]
    assert {row["status"] for row in rows} == {"success"}
    assert {row["event_type"] for row in rows} == {"order.created", "customer.created", "message.received"}


def _check_logins(environment: dict[str, str]) -> None:
    """Each process that has a connection logs in as its role's user; who knows the passwords is this user alone."""
    home = Path(environment["HEADRACE_HOME"])
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        users = connection.execute(
            "SELECT DISTINCT regexp_replace(usename, '^headrace_[0-9a-f]+_', '') FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchall()
    assert {f"{name}_login" for name in ("matcher", "executor", "sink", "scheduler", "api")} == {
        row[0] for row in users
    }
    logs = "".join(log.read_text(errors="replace") for log in (home / "logs").glob("*.log"))
    assert "which this process has no use for" not in logs
    assert (home / "database_users.json").stat().st_mode & 0o777 == 0o600


async def _check_pages(environment: dict[str, str], said: str) -> None:
    """Every role's page is printed, and says that the role is ready: nothing is left of how it started."""
    pages = (await _info(environment))["pages"]
    assert list(pages) == role_names()
    assert all(page in said for page in pages.values())
    for role, page in pages.items():
        await eventually(partial(_is_ready, page), within=60, every=0.2, what=f"{role} to be ready")


def _is_ready(page: str) -> bool:
    connection = HTTPConnection(page.removeprefix("http://"), timeout=scaled(10))
    connection.request("GET", "/readyz")
    return bool(json.loads(connection.getresponse().read())["status"] == "ok")


async def _check_killed_role(environment: dict[str, str]) -> None:
    roles = (await _info(environment))["roles"]
    assert {*role_names(), "admin", "mail", "receiver", "messages"} == set(roles)
    os.kill(roles["sink"], signal.SIGKILL)

    async def back() -> bool:
        return bool((await _info(environment))["roles"].get("sink", roles["sink"]) != roles["sink"])

    await eventually(back, within=20, what="the supervisor names another pid for the sink")


async def _check_more_partitions(environment: dict[str, str]) -> None:
    before = (await _info(environment))["roles"]
    said = await headrace({**environment, "HEADRACE_EVENTS_PARTITIONS": "3"}, "topics", "--add-partitions")
    assert "8 got partitions" in said
    assert "The roles that run here are restarted" in said

    async def all_new() -> bool:
        now = (await _info(environment))["roles"]
        return all(now.get(role, before[role]) != before[role] for role in role_names())

    await eventually(all_new, within=60, what="every role runs again, to see the new partitions")


async def _kill_supervisor(environment: dict[str, str]) -> list[psutil.Process]:
    info = await _info(environment)
    left = [psutil.Process(pid) for pid in info["roles"].values()]
    os.kill(info["pid"], signal.SIGKILL)
    await eventually(lambda: not psutil.pid_exists(info["pid"]), what="the supervisor is gone")
    return left


async def _info(environment: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await headrace(environment, "dev", "info", "--json"))
    return found
