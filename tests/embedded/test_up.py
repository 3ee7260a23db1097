"""``headrace up`` as a user meets it: the demo runs, the printed call works, what dies comes back, nothing is left."""

import asyncio
import json
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from app.processes.role_names import role_names
from tests.embedded.marketer import make_first_workflow
from tests.embedded.readme import script
from tests.embedded.test_privacy import open_to_others
from tests.embedded.up import Up, headrace, installation
from tests.support.chromium import chromium, window
from tests.support.deadlines import scaled
from tests.support.waiting import eventually, finished, in_time

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(400)]


# Connections that a role's processes may have, one of each role, as docs/sizing.md counts them.
_AT_MOST: Final = {"matcher_login": 7, "executor_login": 4 * 8, "sink_login": 7, "scheduler_login": 19, "api_login": 6}
_INTERACTIONS: Final = 40
_ROOT: Final = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def up(kafka: str, postgres: str) -> Iterator[Up]:
    """An installation of this module's own: two minutes, paid once."""
    with installation(kafka, postgres) as running:
        yield running


async def test_it_shows_its_demo(up: Up) -> None:
    """What is printed holds: outcomes, the call, the pages; nothing of it is for others to read."""
    lines = up.said.splitlines()
    assert "ready" in lines
    assert "Templates: 12 built in, 12 stored or brought up to date" in lines
    assert [line.split()[-3] for line in lines if "Demo: " in line and line.endswith(" ms")] == ["success"] * 3
    assert any("Webhooks may reach private networks here" in line for line in lines)
    await _check_privacy(up.environment, up.said)
    await _check_printed_call(next(line.strip() for line in lines if line.strip().startswith("curl ")))
    _check_logins(up.environment)
    await _check_pages(up.environment, up.said)
    await _check_links(up, next(line.strip() for line in lines if "/sign-in/link?token=" in line))


async def test_the_readme_pastes(up: Up, tmp_path: Path) -> None:
    """Every block as it is written, in order, in another terminal: no command fails, the API refuses nothing.

    And what the text promises has happened.
    """
    (tmp_path / ".venv").symlink_to(_ROOT / ".venv")
    said = await _pasted(up.elsewhere, tmp_path)
    assert not re.findall(r'"status": ?[45]\d\d', said), said
    assert "order-17-paid 120.5" in said
    await eventually(partial(_thanked, up.elsewhere), within=30, every=0.5, what="the paid order is thanked for")
    await eventually(partial(_tagged, up.elsewhere), within=30, every=0.5, what="Grace is tagged by the workflows")


async def test_a_second_start_says_what_is_not_as_it_runs(up: Up) -> None:
    """It starts nothing, the first is found as before, and settings that would hold for a new one only are named."""
    refused = await asyncio.to_thread(finished, [sys.executable, "-m", "app.cli", "up"], within=60, env=up.elsewhere)
    assert (refused.returncode, "run by another process" in refused.stderr) == (1, True), refused
    assert (await _info(up.elsewhere))["ready"] is True
    said = await headrace({**up.environment, "HEADRACE_TOPIC_PREFIX": "other."}, "up", "--detach")
    assert "Runs already: " in said
    assert "other settings: HEADRACE_TOPIC_PREFIX" in said


async def test_a_marketer_makes_a_first_workflow(up: Up) -> None:
    """From the printed link to the note at the customer, in a browser; published after at most 40 interactions."""
    link = next(line.strip() for line in up.said.splitlines() if "/sign-in/link?token=" in line)
    url = "http://" + urlsplit(link).netloc
    async with chromium() as browser, window(browser, url) as opened:
        assert await make_first_workflow(opened, link, partial(headrace, up.elsewhere, "emit")) <= _INTERACTIONS


async def test_what_dies_comes_back_and_nothing_is_left(up: Up) -> None:
    """It brings back a killed role, grows its topics, survives its supervisor, and stops."""
    home = Path(up.environment["HEADRACE_HOME"])
    await _check_killed_role(up.environment)
    await _check_more_partitions(up.environment)
    left = await _kill_supervisor(up.environment)
    assert "ready" in (await headrace(up.environment, "up", "--detach", "--no-demo")).splitlines()
    assert not [process for process in left if process.is_running()]
    await headrace(up.environment, "down")
    assert not list((home / "pids").iterdir())
    assert not (home / "up.json").exists()


async def _pasted(environment: dict[str, str], folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script(folder),
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await in_time(process.communicate(), scaled(120), what="the blocks of README.md")
    said = out.decode()
    assert process.returncode == 0, said
    return said


async def _thanked(environment: dict[str, str]) -> bool:
    found = await headrace(environment, "executions", "list", "--event-id", "paid-1", "--json")
    return [one["workflow_name"] for one in json.loads(found)["items"]].count("Thank big spenders") == 1


async def _tagged(environment: dict[str, str]) -> bool:
    found = await headrace(environment, "executions", "list", "--entity", "grace", "--json")
    types = {one["event_type"] for one in json.loads(found)["items"] if one["status"] == "success"}
    return types >= {"customer.created", "order.created", "message.received"}


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


async def _check_links(up: Up, printed: str) -> None:
    """The link that is printed and the one that is asked for open the page that signs in; no log keeps either."""
    asked = (await headrace(up.elsewhere, "up", "--link")).strip()
    logs = [file.read_text(errors="replace") for file in (Path(up.environment["HEADRACE_HOME"]) / "logs").iterdir()]
    for link in (printed, asked):
        with closing(HTTPConnection(urlsplit(link).netloc, timeout=scaled(10))) as connection:
            connection.request("GET", link[link.index("/sign-in") :])
            answer = await asyncio.to_thread(connection.getresponse)
            assert (answer.status, "Sign in by your link" in answer.read().decode()) == (200, True)
        assert not any(link.partition("token=")[2] in text for text in logs)


def _check_logins(environment: dict[str, str]) -> None:
    """Each process that has a connection logs in as its role's user; who knows the passwords is this user alone."""
    home = Path(environment["HEADRACE_HOME"])
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        rows = connection.execute(
            "SELECT regexp_replace(usename, '^headrace_[0-9a-f]+_', '') FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchall()
    assert {f"{name}_login" for name in ("matcher", "executor", "sink", "scheduler", "api")} == {row[0] for row in rows}
    counts = Counter(name for (name,) in rows)
    assert {name: count - _AT_MOST[name] for name, count in counts.items() if count > _AT_MOST[name]} == {}
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
