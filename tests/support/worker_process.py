"""One process of the product in a test: started, frozen, killed and started again by name."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from app.embedded.child import Child, Command
from tests.support.code import Code
from tests.support.deadlines import scaled

STOP_WITHIN_S = 40.0


class WorkerProcess:
    """A role's process with its instance id; log and pid file are in ``home``.

    Args:
        role: As ``headrace worker`` takes it, or ``admin``.
        instance: Stable id within the role.
        environment: Settings of the process.
        home: Folder of the log.
        module: What makes the process, instead of the command line; it takes the role.
        code: Another clone's, instead of this one.
    """

    def __init__(
        self,
        role: str,
        instance: str,
        environment: Mapping[str, str],
        home: Path,
        module: str | None = None,
        *,
        code: Code | None = None,
    ) -> None:
        self.role = role
        self.instance = instance
        self.name = f"{role}-{instance}"
        words = ("admin",) if role == "admin" else ("worker", role)
        python, own, folder = (code.python, code.environment, code.tree) if code else (sys.executable, {}, None)
        argv = (python, "-m", *(("app.cli", *words) if module is None else (module, role)))
        named = {"HEADRACE_METRICS_PORT": "0", **environment, **own, "HEADRACE_INSTANCE": instance}
        self._child = Child(Command(self.name, argv, named, stop_within=scaled(STOP_WITHIN_S), cwd=folder), home)

    @property
    def pid(self) -> int | None:
        """The pid while it runs."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended (negative: by that signal); None while it runs."""
        return self._child.exit_code()

    def log_tail(self, lines: int = 15) -> str:
        """Return the end of its log."""
        return self._child.log_tail(lines)

    def log_text(self) -> str:
        """Return its whole log, of all its lives."""
        return self._child.log.read_text(errors="replace") if self._child.log.exists() else ""

    def start(self) -> None:
        """Start it; call it in the main thread."""
        self._child.spawn()

    async def stop(self) -> None:
        """End it by SIGTERM, after 40 s (scaled) by force."""
        self.signal(signal.SIGCONT)
        await asyncio.to_thread(self._child.stop)

    def kill(self) -> None:
        """End it by SIGKILL."""
        self._child.kill()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP, SIGCONT or SIGTERM; does nothing where it has ended."""
        if self.pid is not None:
            os.kill(self.pid, number)
