"""Clock, sleep and chance as one executor sees them; tests hold all three."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain.clock import utc_now


@dataclass(frozen=True, slots=True)
class Timing:
    """What time does.

    Attributes:
        monotonic: Seconds of a clock that only goes forward.
        sleep: Returns after so many seconds of that clock.
        jitter: 0 to 1 at random, for backoffs.
        now: The time of day.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    now: Callable[[], datetime] = utc_now


REAL_TIME: Final = Timing()
