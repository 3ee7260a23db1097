"""When load flows: steadily, or with a pause. Pure."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Pace:
    """Load that pauses once.

    Attributes:
        at_s: After how many seconds of load the pause begins.
        for_s: How long it is.
    """

    at_s: float = 0.0
    for_s: float = 0.0

    def flowed(self, elapsed_s: float) -> float:
        """Return how many seconds of load have flowed so long after the beginning."""
        return min(elapsed_s, max(self.at_s, elapsed_s - self.for_s))

    def elapsed(self, flowed_s: float) -> float:
        """Return how long after the beginning so many seconds of load have flowed."""
        return flowed_s if flowed_s <= self.at_s else flowed_s + self.for_s


STEADY: Final = Pace()
