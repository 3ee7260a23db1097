"""What ``headrace prove`` is made of beside the installation: its receiver, its faults, what it says wrong use is."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil
import pytest
from click.testing import CliRunner

from app.cli import main
from app.commands.api_client import ApiClient
from app.commands.proving.asked import Asked, carry_out
from app.commands.proving.processes import frozen, process_of, the_only_one
from app.commands.proving.receiver import Receiver, place
from app.domain.errors import ConflictError
from app.embedded.free_ports import HOST
from app.processes.running import write_state
from app.services.proving.ledger import Arrival
from app.services.proving.schedule import schedule
from tests.support.waiting import eventually

_WORD: Final = "a-word"
_GOOD: Final = {"entity": "c-1", "n": "7"}


@pytest.fixture
async def arrived() -> AsyncIterator[tuple[str, Receiver, list[Arrival]]]:
    """A receiver that listens: its address, itself, and what arrived."""
    noted: list[Arrival] = []
    receiver = Receiver(HOST, 0, _WORD, noted.append)
    port = await receiver.start()
    yield f"http://{HOST}:{port}", receiver, noted
    await receiver.stop()


async def post(url: str, body: Any) -> int:
    """Send a webhook, and return the status of the answer."""
    headers = {"Idempotency-Key": "k"}
    async with aiohttp.ClientSession() as session, session.post(url, json=body, headers=headers) as answer:
        return answer.status


async def test_a_webhook_is_noted_before_it_is_answered(arrived: tuple[str, Receiver, list[Arrival]]) -> None:
    """With what the recount needs of it."""
    url, _, noted = arrived
    assert await post(f"{url}/{_WORD}/hook", _GOOD) == HTTPStatus.OK
    ((key, workflow, number, entity),) = [(one.key, one.workflow, one.number, one.entity) for one in noted]
    assert (key, workflow, number, entity) == ("k", "hook", 7, "c-1")


async def test_what_is_no_webhook_of_the_run_is_refused(arrived: tuple[str, Receiver, list[Arrival]]) -> None:
    """Whoever does not know the word, and what does not say what it belongs to; nothing is noted."""
    url, receiver, noted = arrived
    assert await post(f"{url}/other/hook", _GOOD) == HTTPStatus.NOT_FOUND
    bodies: tuple[Any, ...] = ({}, [], {"n": "x", "entity": "c"}, {"n": 1}, None)
    for body in bodies:
        assert await post(f"{url}/{_WORD}/hook", body) == HTTPStatus.BAD_REQUEST
    assert (noted, receiver.refused) == ([], 5)


@pytest.mark.parametrize(
    ("text", "where"), [("10.0.0.5:9000", ("10.0.0.5", 9000)), ("[::1]:0", ("::1", 0)), ("host:1", ("host", 1))]
)
def test_a_place_is_read(text: str, where: tuple[str, int]) -> None:
    """A host and a port."""
    assert place(text) == where


@pytest.mark.parametrize("text", ["", "host", "9000", "host:x", "host:70000", "u@host:1", "host:1/path"])
def test_no_place_is_refused(text: str) -> None:
    """What is none would listen somewhere else than was meant."""
    with pytest.raises(ValueError, match=r".+"):
        place(text)


@pytest.fixture
def sleeper() -> Iterator[psutil.Process]:
    """A process of this one's, which does nothing."""
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as process:
        yield psutil.Process(process.pid)
        process.kill()


async def test_what_is_frozen_goes_on_afterwards(sleeper: psutil.Process) -> None:
    """Also where the time in between ends with an error."""
    with suppress(RuntimeError), frozen(sleeper):
        await eventually(lambda: sleeper.status() == psutil.STATUS_STOPPED, within=10, what="it is frozen")
        raise RuntimeError
    await eventually(lambda: sleeper.status() != psutil.STATUS_STOPPED, within=10, what="it goes on")


async def test_what_is_frozen_goes_on_when_the_one_who_froze_it_dies(sleeper: psutil.Process) -> None:
    """By SIGKILL, so that nothing of it can run any more."""
    code = (
        "import sys, psutil, signal\n"
        "from app.commands.proving.processes import frozen\n"
        "with frozen(psutil.Process(int(sys.argv[1]))):\n"
        "    signal.pause()\n"
    )
    freezer = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(sleeper.pid))
    await eventually(lambda: sleeper.status() == psutil.STATUS_STOPPED, within=30, what="it is frozen")
    freezer.kill()
    await freezer.wait()
    await eventually(lambda: sleeper.status() != psutil.STATUS_STOPPED, within=10, what="it goes on")


def test_one_at_a_time_causes_faults(tmp_path: Path) -> None:
    """A second one is refused, with code 6, before it has made anything; without faults, and afterwards, it is not."""
    write_state(tmp_path, {"api_url": "http://127.0.0.1:1", "admin_token": "t"})
    api = ApiClient("http://127.0.0.1:1", "t")
    asked = Asked(60.0, 1.0, ["kill"], (HOST, 0), None, crm=False, home=tmp_path)
    another = r"another `headrace prove --faults` .* leave --faults out"
    with the_only_one(tmp_path), pytest.raises(ConflictError, match=another):
        carry_out(api, asked, tmp_path / "report")
    assert not (tmp_path / "report").exists()
    with the_only_one(tmp_path):
        pass


def test_only_a_child_of_the_supervisor_is_broken(tmp_path: Path, sleeper: psutil.Process) -> None:
    """A pid alone may be another's by now: its parent must be the one who wrote it down."""
    write_state(tmp_path, {"roles": {"sink": sleeper.pid, "matcher": psutil.Process().ppid()}})
    assert process_of(tmp_path, "sink") == sleeper
    assert process_of(tmp_path, "matcher") is None
    assert process_of(tmp_path, "scheduler") is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--faults", "burn"), "'burn' is no kind of fault; give kill or freeze, or kill,freeze"),
        (("--faults", "kill"), "--faults is for what `headrace up` runs here"),
        (("--clean", "--faults", "kill"), "--faults does not go with --clean"),
        (("--run", "0123abcd"), "--run goes with --clean"),
        (("--clean", "--run", "-"), "'-' is the name of no run"),
        (("--minutes", "0"), "--minutes"),
        (("--rate", "0"), "--rate"),
        (("--listen", "somewhere"), "should be like 10.0.0.5:9000"),
    ],
)
def test_wrong_use_is_named(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    """Before anybody is asked, with code 2."""
    variables = {"HEADRACE_HOME": str(tmp_path), "HEADRACE_API_URL": "http://127.0.0.1:1", "HEADRACE_API_TOKEN": "t"}
    result = CliRunner(env=variables).invoke(main, ["prove", *options])
    assert result.exit_code == 2
    assert words in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("faults", "least"), [("kill", "0.21"), ("freeze,kill", "0.84")])
def test_a_run_that_is_too_short_for_its_faults_is_refused(tmp_path: Path, faults: str, least: str) -> None:
    """With the shortest that has one: without a fault it would end well and show nothing."""
    write_state(tmp_path, {"api_url": "http://127.0.0.1:1", "admin_token": "t"})
    options = ["prove", "--minutes", "0.2", "--faults", faults]
    result = CliRunner(env={"HEADRACE_HOME": str(tmp_path)}).invoke(main, options)
    assert (result.exit_code, f"takes --minutes {least} or more" in result.output) == (2, True), result.output
    assert schedule(faults.split(","), ["sink"], float(least) * 60)
    assert not schedule(faults.split(","), ["sink"], (float(least) - 0.01) * 60)
