"""Clock, sleep and chance as one executor sees them; tests hold all three."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Timing:
    """What time does.

    Attributes:
        monotonic: Seconds of a clock that only goes forward.
        sleep: Returns after so many seconds of that clock.
        jitter: 0 to 1 at random, for backoffs.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random


REAL_TIME: Final = Timing()
