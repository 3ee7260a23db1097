"""``headrace prove`` on an installation as a user has it: what it finds, and that nothing of it is left."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from app.commands.proving.journal import FILE
from app.commands.proving.written import JSON_FILE, PAGE_FILE
from app.services.proving.ledger import Ledger, read
from tests.embedded.up import Up, headrace, installation
from tests.support.waiting import eventually, finished

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(400)]
_PROVE = (sys.executable, "-m", "app.cli", "prove")


@pytest.fixture(scope="module")
def up(kafka: str, postgres: str) -> Iterator[Up]:
    """An installation of this module's own."""
    with installation(kafka, postgres, "--no-demo") as running:
        yield running


async def left(up: Up) -> list[str]:
    """Return what is there of runs: the installation has no other workflows."""
    return [one["name"] for one in json.loads(await headrace(up.elsewhere, "workflows", "list", "--json"))["items"]]


@contextmanager
def started(up: Up, folder: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one that goes on for longer than a test, and is over after it."""
    command = [*_PROVE, "--minutes", "10", "--report", str(folder), *options]
    with subprocess.Popen(command, env=up.elsewhere, stderr=subprocess.DEVNULL) as running:  # noqa: S603 - our own
        try:
            yield running
        finally:
            running.kill()


def ledger(folder: Path) -> Ledger:
    """Return what a run has written down so far."""
    path = folder / FILE
    return read(path.read_text().splitlines(keepends=True)) if path.exists() else Ledger()


async def test_it_proves_an_installation_whose_roles_are_killed(up: Up, tmp_path: Path) -> None:
    """All that it sent is found where it must be, though processes died; the report says so, and nothing is left."""
    folder = tmp_path / "proof"
    options = ("--minutes", "0.6", "--rate", "10", "--faults", "kill", "--report", str(folder))
    ran = finished([*_PROVE, *options], within=300, env=up.elsewhere)
    told: dict[str, Any] = json.loads((folder / JSON_FILE).read_text())
    verdict = told["verdict"]
    assert (ran.returncode, told["good"], verdict["wrong"]) == (0, True, []), ran.stderr
    assert (verdict["events"], verdict["executions"], verdict["effects"]) == (360, 1080, 360 + 36 + 2 * 36)
    assert [one["role"] for one in verdict["timing"]["recoveries"]] == ["matcher", "executor-notification"]
    assert "nothing lost" in ran.stdout
    assert "nothing lost" in (folder / PAGE_FILE).read_text()
    assert "kill -9 of matcher, process " in ran.stderr
    assert len(ledger(folder).sent) == 360
    assert await left(up) == []
    assert not (folder / JSON_FILE).stat().st_mode & 0o077


async def test_it_is_broken_off_cleanly(up: Up, tmp_path: Path) -> None:
    """Ctrl-C removes what the run had made, and ends with the code of a signal."""
    with started(up, tmp_path) as running:
        await eventually(lambda: len(ledger(tmp_path).arrivals) > 20, within=90, what="webhooks")
        running.send_signal(signal.SIGINT)
        await eventually(lambda: running.poll() is not None, within=60, what="its end")
    assert running.returncode == 130
    assert await left(up) == []
    # Its webhooks were received until the last: what was under way has ended well, or was cancelled.
    log = json.loads(await headrace(up.elsewhere, "executions", "list", "--status", "failed", "--json"))
    assert log["items"] == []


async def test_what_a_crash_leaves_is_removed_by_the_next_run(up: Up, tmp_path: Path) -> None:
    """And by nobody while it runs: a second run at the same time is refused, and users leave others' runs alone."""
    token = (await headrace(up.elsewhere, "token", "--role", "user", "--user", str(uuid4()))).strip()
    user = {**up.elsewhere, "HEADRACE_API_TOKEN": token}
    with started(up, tmp_path):
        await eventually(lambda: len(ledger(tmp_path).arrivals) > 20, within=90, what="webhooks")
        theirs = finished([*_PROVE, "--clean"], within=60, env=user)
        assert (theirs.returncode, "Left alone are customers of other users' runs" in theirs.stderr) == (0, True), (
            theirs
        )
        unfit = finished([*_PROVE], within=60, env=user)
        assert (unfit.returncode, "needs the permission events:write" in unfit.stderr) == (4, True), unfit
        refused = finished([*_PROVE, "--clean"], within=60, env=up.elsewhere)
        assert (refused.returncode, "runs here already" in refused.stderr) == (6, True), refused.stderr
    assert len(await left(up)) == 3
    cleaned = finished([*_PROVE, "--clean"], within=120, env=up.elsewhere)
    assert (cleaned.returncode, "Removed what an earlier run has left" in cleaned.stderr) == (0, True), cleaned.stderr
    assert await left(up) == []


async def test_a_run_that_somebody_meddles_with_says_so(up: Up, tmp_path: Path) -> None:
    """Rather than that its events were lost: here its workflow is switched off while it runs."""
    with started(up, tmp_path, "--minutes", "0.15") as running:
        await eventually(lambda: len(ledger(tmp_path).arrivals) > 20, within=90, what="webhooks")
        (hook,) = [name for name in await left(up) if name.endswith("hook")]
        await headrace(up.elsewhere, "workflows", "deactivate", hook, "--waiting", "cancel")
        await eventually(lambda: running.poll() is not None, within=90, what="its end")
    assert (running.returncode, (tmp_path / JSON_FILE).exists()) == (6, False)
    assert await left(up) == []


async def test_a_receiver_that_is_out_of_reach_is_said(up: Up, tmp_path: Path) -> None:
    """With what to do about it, before any load is sent."""
    options = ("--receiver-url", "http://127.0.0.1:9", "--report", str(tmp_path))
    ran = finished([*_PROVE, *options], within=180, env=up.elsewhere)
    assert ran.returncode == 1
    assert "did not reach the receiver at http://127.0.0.1:9" in ran.stderr
    assert "HEADRACE_WEBHOOK_ALLOW_NETWORKS" in ran.stderr
    assert not ledger(tmp_path).sendings
    assert await left(up) == []


async def test_what_is_frozen_goes_on_when_the_run_is_killed(up: Up, tmp_path: Path) -> None:
    """Nobody who breaks a run off leaves a worker behind that does nothing."""
    matcher = psutil.Process(json.loads(await headrace(up.elsewhere, "dev", "info", "--json"))["roles"]["matcher"])
    with started(up, tmp_path, "--faults", "freeze"):
        await eventually(partial(_is_frozen, matcher), within=120, what="the first fault")
    await eventually(lambda: not _is_frozen(matcher), within=20, what="the matcher goes on")
    finished([*_PROVE, "--clean"], within=120, env=up.elsewhere)


def _is_frozen(process: psutil.Process) -> bool:
    return process.status() == psutil.STATUS_STOPPED
