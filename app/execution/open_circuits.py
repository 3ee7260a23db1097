"""The circuits that are not closed, as one worker knows them, and the destinations that they shut for all."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final, NamedTuple

from app.domain.breaker import WIDESPREAD, parts_of

_NONE: Final[dict[str, "OpenCircuit"]] = {}


class OpenCircuit(NamedTuple):
    """When a circuit is half open, why it opened, and since when this process knows it (monotonic seconds)."""

    until: float
    reason: str
    since: float = 0.0


class OpenCircuits:
    """Holds those that are not closed, by destination.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_destination: dict[str, dict[str, OpenCircuit]] = {}

    def get(self, circuit: str) -> OpenCircuit | None:
        """Return one; None where it is closed."""
        if not self._by_destination:
            return None
        return self._by_destination.get(parts_of(circuit)[0], _NONE).get(circuit)

    def put(self, circuit: str, one: OpenCircuit) -> None:
        """Note one that is not closed."""
        self._by_destination.setdefault(parts_of(circuit)[0], {})[circuit] = one

    def remove(self, circuit: str) -> None:
        """Note that one is closed."""
        destination = parts_of(circuit)[0]
        circuits = self._by_destination.get(destination, _NONE)
        if circuits.pop(circuit, None) is not None and not circuits:
            del self._by_destination[destination]

    def keep(self, circuits: Iterable[str]) -> None:
        """Forget all but some."""
        known = {circuit for found in self._by_destination.values() for circuit in found}
        for circuit in known.difference(circuits):
            self.remove(circuit)

    def shut(self, circuit: str) -> OpenCircuit | None:
        """Return what says that no attempt may be made: the circuit itself, or as many others to its destination.

        An owner whose circuit is half open may probe, also where those of others are open: probes are what closes it.
        """
        if not self._by_destination:
            return None
        circuits = self._by_destination.get(parts_of(circuit)[0], _NONE)
        now, own = self._clock(), circuits.get(circuit)
        if own is not None:
            return own if own.until > now else None
        others = list(islice((one for one in circuits.values() if one.until > now), WIDESPREAD))
        return min(others) if len(others) == WIDESPREAD else None

    def states(self, most: int) -> dict[str, int]:
        """Return what destinations have circuits that are not closed, at most so many: 2 one is open, 1 half-open."""
        now = self._clock()
        return {
            destination: 2 if any(one.until > now for one in list(circuits.values())) else 1
            for destination, circuits in islice(list(self._by_destination.items()), most)
        }

    def __contains__(self, circuit: str) -> bool:
        """Whether one is not closed."""
        return self.get(circuit) is not None
