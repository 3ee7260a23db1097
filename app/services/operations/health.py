"""Whether a process is ready: what it stands on is asked again and again, and who wants to know gets the last answer.

No answer to a request ever waits for what is asked: Kafka, Postgres and the event loop itself may hang. What does not
answer in time is reported so, and is not asked a second time meanwhile.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.errors import HeadraceError, UnreachableError
from app.services.operations.background import PROCESS, Failures, end_all

Probe = Callable[[], Awaitable[str]]

EVERY_S: Final = 5.0
WITHIN_S: Final = 1.5
# Without a look for so long the event loop hangs: a look takes a second and a half at most, and comes every five.
SILENT_S: Final = 12.0
# A process whose event loop hangs for so long does not come back: nothing of ours takes it for a second.
DEAD_S: Final = 60.0
_TASK: Final = "readiness"


@dataclass(frozen=True, slots=True)
class Check:
    """How one thing that a process stands on does."""

    ok: bool
    detail: str


class Health:
    """One process's.

    Args:
        failures: What failed in its background.
        clock: Monotonic seconds.
    """

    def __init__(self, failures: Failures = PROCESS, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures = failures
        self._clock = clock
        self._probes: dict[str, Probe] = {}
        self._asked: dict[str, asyncio.Task[Check]] = {}
        self._last: dict[str, Check] = {}
        # When each last said anything; before that, when it was first asked.
        self._heard: dict[str, float] = {}
        self._looked_at: float | None = None

    def watch(self, name: str, probe: Probe) -> None:
        """Ask a probe too: it returns a detail, or raises one of our errors, whose text says why not."""
        self._probes[name] = probe
        self._last[name] = Check(ok=False, detail="not asked yet")

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(EVERY_S)
        finally:
            await end_all(self._asked.values())

    async def look(self, within: float = WITHIN_S) -> Mapping[str, Check]:
        """Ask every probe, those still under way not anew; returns what is known after ``within`` seconds at most."""
        for name, probe in self._probes.items():
            self._heard.setdefault(name, self._clock())
            if name not in self._asked:
                self._asked[name] = asyncio.create_task(self._ask(name, probe), name=f"{_TASK} {name}")
        asked = dict(self._asked)
        if asked:
            await asyncio.wait(asked.values(), timeout=within)
        for name, task in asked.items():
            if task.done():
                self._last[name] = task.result()
                self._asked.pop(name, None)
            else:
                self._last[name] = Check(ok=False, detail=f"no answer for {self._clock() - self._heard[name]:.0f} s")
        self._looked_at = self._clock()
        return self.checks()

    def checks(self) -> dict[str, Check]:
        """Return what the last look found, and what fails in the background; safe to call from any thread."""
        failing = self._failures.failing()
        said = f"{', '.join(failing)} failed; the log says how" if failing else "nothing failed within the last minute"
        checks = {**self._last, "background": Check(ok=not failing, detail=said)}
        if self._silent() > SILENT_S:
            checks["event_loop"] = Check(ok=False, detail=f"has not turned for {self._silent():.0f} s")
        return checks

    def problems(self) -> dict[str, str]:
        """Return why the process is not ready, by what was asked; empty: it is."""
        return {name: check.detail for name, check in self.checks().items() if not check.ok}

    def lives(self) -> bool:
        """Whether the process still does anything, ready or not; one that has not begun to look does."""
        return self._silent() < DEAD_S

    def _silent(self) -> float:
        return 0.0 if self._looked_at is None else self._clock() - self._looked_at

    async def _ask(self, name: str, probe: Probe) -> Check:
        try:
            check = Check(ok=True, detail=await probe())
        except UnreachableError as error:
            return Check(ok=False, detail=str(error))
        except HeadraceError as error:
            check = Check(ok=False, detail=str(error))
        except Exception as error:  # noqa: BLE001 - noted with its traceback; the other checks count
            self._failures.note(_TASK, error)
            return Check(ok=False, detail=f"internal error: {type(error).__name__}")
        self._heard[name] = self._clock()
        return check
