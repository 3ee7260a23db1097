"""How long to wait before what has ended is started again: longer each time, until a life lasts."""

from dataclasses import dataclass
from typing import Final

FIRST_DELAY_S: Final = 0.2
LONGEST_DELAY_S: Final = 3.0
STEADY_AFTER_S: Final = 20.0


@dataclass(slots=True)
class Backoff:
    """How long to wait before the next start: 0.2 s, doubled up to ``longest`` while lives last less than 20 s."""

    failures: int = 0
    longest: float = LONGEST_DELAY_S

    def after_death(self, lived: float) -> float:
        """Return the seconds to wait, given that the last life lasted ``lived`` seconds."""
        self.failures = 0 if lived >= STEADY_AFTER_S else self.failures + 1
        # Bounded before it is raised: a task that has failed for weeks must not overflow a float.
        return float(min(FIRST_DELAY_S * 2 ** min(max(0, self.failures - 1), 32), self.longest))
