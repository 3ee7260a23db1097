"""The supervisor: what dies is started again, what is stopped stays stopped, nothing outlives a killed supervisor."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from app.domain.backoff import Backoff
from app.embedded.child import Child, Command, end_leftovers
from app.embedded.supervisor import Supervisor
from app.processes.home import AlreadyStartedError, Lock, read_json, waiting_lock, write_json
from app.processes.running import adopt_environment, running_state, shown, write_state
from tests.support.deadlines import scaled
from tests.support.waiting import eventually

_SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
_STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
)


async def test_what_is_killed_is_started_again(tmp_path: Path) -> None:
    """After kill -9 the process runs again under another pid, and whoever watches is told."""
    restarted: list[str] = []
    supervisor = Supervisor(restarted.append)
    child = Child(Command("sleeper", _SLEEP), tmp_path)
    supervisor.start([child])
    try:
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: child.pid not in {None, first}, within=10)
        await eventually(lambda: restarted == ["sleeper"])
        assert supervisor.restarts == {"sleeper": 1}
        assert supervisor.pids() == {"sleeper": child.pid}
    finally:
        await supervisor.stop()
    assert not child.alive()


async def test_stages_are_stopped_in_reverse_order(tmp_path: Path) -> None:
    """What was started last, because it needs the rest, has ended before the rest is stopped."""
    ended: list[str] = []

    class Recorded(Child):
        def stop(self) -> None:
            super().stop()
            ended.append(self.name)

    supervisor = Supervisor(lambda _: None)
    for name in ("database", "worker"):
        supervisor.start([Recorded(Command(name, _SLEEP), tmp_path)])
    await supervisor.stop()
    assert ended == ["worker", "database"]


def test_restarts_come_slower_while_they_fail_and_fast_again_after() -> None:
    """0.2 s, doubled up to 3 s; a life of 20 s starts over."""
    backoff = Backoff()
    assert [backoff.after_death(1.0) for _ in range(6)] == [0.2, 0.4, 0.8, 1.6, 3.0, 3.0]
    assert backoff.after_death(20.0) == 0.2


def test_a_process_that_is_deaf_to_the_signal_is_ended_by_force(tmp_path: Path) -> None:
    """After its time to stop a process is killed."""
    child = Child(Command("deaf", _STUBBORN, stop_within=0.2), tmp_path)
    child.spawn()
    while "deaf" not in child.log_tail():
        assert child.alive()
    child.stop()
    assert child.exit_code() == -signal.SIGKILL


async def test_children_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    """After kill -9 of the parent the child ends by itself."""
    script = (
        "import sys, time; from pathlib import Path; from app.embedded.child import Child, Command; "
        f"child = Child(Command('orphan', {_SLEEP!r}), Path(sys.argv[1])); "
        "child.spawn(); print(child.pid, flush=True); time.sleep(60)"
    )
    parent, orphan = await _parent_and_child(script, str(tmp_path))
    await eventually(lambda: "sleep(60)" in " ".join(orphan.cmdline()), what="the wrapper has become the program")
    parent.kill()
    await parent.wait()
    await eventually(lambda: not orphan.is_running(), within=10)


async def test_a_worker_ends_with_its_parent_even_when_it_is_deaf() -> None:
    """Where the kernel's signal does not help, the watch on the parent ends the process (here: sends SIGTERM)."""
    watched = (
        "import os, time; os.environ['HEADRACE_PARENT'] = str(os.getppid()); "
        "from app.processes.parent_watch import end_with_parent; end_with_parent(); "
        "print(os.getpid(), flush=True); time.sleep(60)"
    )
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {watched!r}])"
    parent, orphan = await _parent_and_child(script)
    parent.kill()
    await parent.wait()
    await eventually(lambda: not orphan.is_running(), within=10)


async def _parent_and_child(script: str, *arguments: str) -> tuple[asyncio.subprocess.Process, psutil.Process]:
    """Run a script that starts a child and prints its pid."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    return parent, psutil.Process(int(await parent.stdout.readline()))


def test_what_a_killed_supervisor_left_is_ended_by_the_next(tmp_path: Path) -> None:
    """A pid file names a process; a later start ends it, but never a stranger that got its pid."""
    with subprocess.Popen(_SLEEP) as leftover:  # noqa: S603 - a sleep of our own
        created = psutil.Process(leftover.pid).create_time()
        file, stranger = tmp_path / "leftover.json", tmp_path / "stranger.json"
        write_json(stranger, {"pid": leftover.pid, "created": created - 100, "stop_signal": int(signal.SIGTERM)})
        end_leftovers([stranger])
        assert leftover.poll() is None
        write_json(file, {"pid": leftover.pid, "created": created, "stop_signal": int(signal.SIGTERM)})
        end_leftovers([file])
        assert not psutil.pid_exists(leftover.pid)
    assert not file.exists()


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    """A second holder is refused at once, until the first lets go."""
    first, second = Lock(tmp_path / "up.lock"), Lock(tmp_path / "up.lock")
    first.acquire()
    first.acquire()
    with pytest.raises(AlreadyStartedError, match="make down"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


async def test_one_off_work_is_waited_for(tmp_path: Path) -> None:
    """A second comer waits until the first has finished."""
    order: list[str] = []

    def work(name: str) -> None:
        with waiting_lock(tmp_path / "work.lock"):
            order.append(name)

    with waiting_lock(tmp_path / "work.lock"):
        second = asyncio.create_task(asyncio.to_thread(work, "second"))
        await asyncio.wait({second}, timeout=scaled(0.2))
        order.append("first")
    await second
    assert order == ["first", "second"]


def test_only_a_living_supervisor_is_found(tmp_path: Path) -> None:
    """The state of this process is found; that of one that is gone, or whose pid went to another, is not."""
    write_state(tmp_path, {"api_url": "http://127.0.0.1:1", "environment": {"HEADRACE_ADOPTED": "yes"}})
    state = running_state(tmp_path)
    assert state is not None
    assert shown(state) == {"api_url": "http://127.0.0.1:1", "pid": os.getpid()}
    adopt_environment(tmp_path)
    assert os.environ.pop("HEADRACE_ADOPTED") == "yes"
    write_json(tmp_path / "up.json", {**state, "created": state["created"] - 100})
    assert running_state(tmp_path) is None
    write_json(tmp_path / "up.json", {})
    assert running_state(tmp_path) is None


def test_the_state_is_for_its_owner_only(tmp_path: Path) -> None:
    """It holds a token and a password; nobody else may read it, and half a file counts as none."""
    write_json(tmp_path / "state.json", {"admin_token": "x"})
    assert (tmp_path / "state.json").stat().st_mode & 0o077 == 0
    (tmp_path / "state.json").write_text('{"admin_')
    assert read_json(tmp_path / "state.json") == {}
