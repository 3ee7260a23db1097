"""Keep processes running: start them in stages, start again what dies, stop the stages in reverse order."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from app.domain.backoff import LONGEST_DELAY_S, Backoff
from app.services.operations.background import note_failure

_LOOK_EVERY_S: Final = 0.1


class Member(Protocol):
    """A process that can be kept: a ``Child``, or a ``Service`` of the embedded default."""

    @property
    def name(self) -> str:
        """Unique among the members."""
        ...

    @property
    def pid(self) -> int | None:
        """The pid while it runs, where it is a process of ours."""
        ...

    def spawn(self) -> None:
        """Start it without waiting."""
        ...

    def alive(self) -> bool:
        """Return whether it runs."""
        ...

    def stop(self) -> None:
        """End it; blocks until it has."""
        ...


class Supervisor:
    """Members in stages: a later stage needs the earlier ones, so it is stopped before them.

    Members are spawned from the event loop's own thread, which lives as long as they shall (see ``Child``).

    Args:
        on_change: Called after each restart, with the member's name.
        clock: Seconds, monotonic.
        longest: Seconds to wait at most before a member that has died is started again.
    """

    def __init__(
        self,
        on_change: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        *,
        longest: float = LONGEST_DELAY_S,
    ) -> None:
        self._on_change = on_change
        self._clock = clock
        self._longest = longest
        self._stages: list[Sequence[Member]] = []
        self._keepers: list[asyncio.Task[None]] = []
        self.restarts: dict[str, int] = {}

    def members(self) -> Iterator[Member]:
        """Yield all members in the order they were started."""
        for stage in self._stages:
            yield from stage

    def pids(self) -> dict[str, int]:
        """Return the pids of those that run as processes of ours."""
        return {member.name: member.pid for member in self.members() if member.pid is not None}

    def start(self, stage: Sequence[Member]) -> None:
        """Spawn the members of a further stage, and keep them running from now on."""
        for member in stage:
            member.spawn()
        self.keep(stage)

    def keep(self, stage: Sequence[Member]) -> None:
        """Keep members that run already, as a further stage."""
        self._stages.append(stage)
        for member in stage:
            self.restarts[member.name] = 0
            self._keepers.append(asyncio.create_task(self._keep(member), name=f"keep {member.name}"))

    async def stop(self) -> None:
        """Stop all, last stage first, the members of a stage at the same time."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for stage in reversed(self._stages):
            await asyncio.gather(*(asyncio.to_thread(member.stop) for member in stage))
        self._stages.clear()

    async def _keep(self, member: Member) -> None:
        backoff = Backoff(longest=self._longest)
        started = self._clock()
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if member.alive():
                continue
            await asyncio.sleep(backoff.after_death(self._clock() - started))
            started = self._clock()
            self.restarts[member.name] += 1
            try:
                member.spawn()
            except Exception as error:  # noqa: BLE001 - noted with its traceback
                # Out of processes or files for now, say: the next look finds it dead, and waits longer.
                note_failure("supervisor", error, f"{member.name} could not be started again")
            self._on_change(member.name)
