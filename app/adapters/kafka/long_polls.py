"""How long a broker may hold a fetch that finds nothing: long while all is quiet, so that quiet costs nothing.

The broker answers a held fetch as soon as a record comes, so a long hold delays none. What it does delay is what a
later fetch would ask for and this one does not: a partition whose records had not been taken yet, or that was set back.
There are hardly any of those once nothing has been taken for long and nothing waits to be: a table that is read to its
end, and a partition that was paused, go on within seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.adapters.kafka.pacing import Flow

QUIET_S: Final = 30.0
LONGEST_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Patience:
    """Says how long to hold the next fetch.

    Attributes:
        flow: What comes.
        all_taken: Whether nothing that was fetched waits to be taken.
        longest_ms: How long while all is quiet.
    """

    flow: Flow
    all_taken: Callable[[], bool]
    longest_ms: int = LONGEST_MS

    def hold_ms(self, usual_ms: int) -> int:
        """Return how long to hold a fetch that is usually held for so long."""
        quiet = self.flow.quiet_for() >= QUIET_S and self.all_taken()
        return max(usual_ms, self.longest_ms) if quiet else usual_ms
