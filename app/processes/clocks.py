"""What tells a process the time."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.domain.clock import utc_now


@dataclass(frozen=True, slots=True)
class Clocks:
    """Both of its clocks.

    Attributes:
        monotonic: Seconds of a clock that only goes forward.
        now: The time of day, as Postgres and all other processes have it.
    """

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = utc_now
