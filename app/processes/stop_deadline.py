"""End a process that was told to stop and does not come to an end, as where its broker went away at that moment.

What it had not finished is read again, as after any kill: nothing depends on an orderly end but the time it takes.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from app.adapters.kafka.watchdog import end_process

# An orderly end waits for attempts under way, for the last commit and for the group: seconds, where Kafka answers.
STOP_S: Final = 60.0
_LOOK_EVERY_S: Final = 1.0


def end_in_time(stopping: Callable[[], bool]) -> None:
    """Watch, in a thread, whether this process is stopping, and end it by force where that takes longer than a minute.

    Args:
        stopping: Whether it has begun to stop.
    """
    threading.Thread(target=watch, args=(stopping, end_process), name="stop deadline", daemon=True).start()


def watch(
    stopping: Callable[[], bool],
    end: Callable[[str], object],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Call ``end`` with a reason a minute after ``stopping`` has become true.

    Args:
        stopping: As in :func:`end_in_time`.
        end: Ends the process.
        clock: Seconds, monotonic.
        sleep: Returns after so many seconds.
    """
    while not stopping():
        sleep(_LOOK_EVERY_S)
    until = clock() + STOP_S
    while clock() < until:
        sleep(_LOOK_EVERY_S)
    end(f"told to stop {STOP_S:g} s ago, and not at an end")
