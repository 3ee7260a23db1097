"""One child process: bound to the life of this one, logged to a file, known by pid to a later command."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from app.processes.home import open_private, read_json, write_json

_WRAPPER = str(Path(__file__).with_name("bound_exec.py"))
# All that a child writes (Kafka its data, a stand-in its mailbox) is for its owner alone.
_UMASK = 0o077
_LOG_LIMIT_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Command:
    """What to run.

    Attributes:
        name: Names the pid file and the log.
        argv: Program and arguments.
        env: Variables on top of this process's own.
        user: Run as this user (only root can); None stays.
        stop_signal: Asks for a clean end.
        stop_within: Seconds until a clean end is no longer waited for.
        cwd: Working directory; None stays.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 20.0
    cwd: Path | None = None


class Child:
    """A process from ``Command``; start and stop it as often as needed.

    Start it from a thread that lives as long as the child shall: the kernel takes a thread's end for the parent's.
    """

    def __init__(self, command: Command, home: Path) -> None:
        self.command = command
        self.log = home / "logs" / f"{command.name}.log"
        self._pid_file = home / "pids" / f"{command.name}.json"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """The command's name."""
        return self.command.name

    @property
    def pid(self) -> int | None:
        """The pid while it runs."""
        return self._process.pid if self._process is not None and self.alive() else None

    def alive(self) -> bool:
        """Return whether it runs."""
        return self._process is not None and self._process.poll() is None

    def exit_code(self) -> int | None:
        """Return how it ended (negative: by that signal); None while it runs or before it started."""
        return None if self._process is None else self._process.poll()

    def spawn(self) -> None:
        """Start it, after ending what an earlier life of the same name left behind."""
        self.end_leftover()
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        wrapped = [sys.executable, "-I", "-S", _WRAPPER, str(os.getpid()), str(int(self.command.stop_signal))]
        with os.fdopen(open_private(self.log, os.O_APPEND), "ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                [*wrapped, self.command.user or "-", *self.command.argv],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.command.env},
                cwd=self.command.cwd,
                umask=_UMASK,
                start_new_session=True,
            )
        created = psutil.Process(self._process.pid).create_time()
        asked = int(self.command.stop_signal)
        write_json(self._pid_file, {"pid": self._process.pid, "created": created, "stop_signal": asked})

    def end_leftover(self) -> None:
        """End what an earlier life of the same name left running; this life's process is left alone."""
        if not self.alive():
            end_leftovers([self._pid_file])

    def ask_to_stop(self) -> None:
        """Send the stop signal and return at once."""
        if self._process is not None and self.alive():
            self._process.send_signal(self.command.stop_signal)

    def stop(self) -> None:
        """End it cleanly, by force once its time is over; harmless if it does not run."""
        self.ask_to_stop()
        if self._process is not None:
            try:
                self._process.wait(self.command.stop_within)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        if self._process is not None and self.alive():
            self._process.kill()
            self._process.wait()

    def log_tail(self, lines: int = 5) -> str:
        """Return the last lines that it logged."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def end_leftovers(pid_files: Iterable[Path], within: float = 15.0) -> None:
    """End the processes that the files name, all at once, where those very processes (same start time) still run."""
    files = list(pid_files)
    asked = [process for file in files if (process := _ask_leftover(file)) is not None]
    _, left = psutil.wait_procs(asked, timeout=within)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=within)
    for file in files:
        file.unlink(missing_ok=True)


def _ask_leftover(pid_file: Path) -> psutil.Process | None:
    found = read_json(pid_file)
    if not found:
        return None
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(int(found["pid"]))
        if abs(process.create_time() - float(found["created"])) < 1:
            process.send_signal(int(found["stop_signal"]))
            return process
    return None
