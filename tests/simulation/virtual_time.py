"""An event loop whose clock jumps to the next thing that is due: an hour of waiting takes as long as its work."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

T = TypeVar("T")

# Longer than any run waits for anything; a test's own timeout is swallowed where it falls into a callback.
MOST_S: Final = 20_000.0
_START: Final = datetime(2026, 3, 1, tzinfo=UTC)


class StalledError(Exception):
    """Nothing is due, ever, or what is due comes again and again: what was run does not end."""


class _Jumping(selectors.SelectSelector):
    """Instead of waiting, lets the time go by."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or self.now > MOST_S:
            raise StalledError
        self.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs what is ready in the order in which it became so; ``time`` is seconds since the loop was made."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual time."""
        return self._jumping.now


def now() -> datetime:
    """Return the time of day, as the run has it."""
    return _START + timedelta(seconds=asyncio.get_running_loop().time())


def virtual(moment: datetime) -> float:
    """Return when a moment is on the loop's clock."""
    return (moment - _START).total_seconds()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time; what still runs then is cancelled.

    Raises:
        StalledError: It waits for what never comes.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
