"""The ledger: what was sent and what arrived, a JSON line each, written down before anything follows from it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Sending:
    """A batch of events that the API has taken.

    Attributes:
        first: Number of its first event.
        count: How many.
        at: Seconds since the epoch at which it was first sent; it may have been sent again.
    """

    first: int
    count: int
    at: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """A webhook as it arrived.

    Attributes:
        key: Its Idempotency-Key.
        workflow: Whose it says that it is: the end of its path.
        number: The event's number that it carries.
        entity: Whom it is about.
        at: Seconds since the epoch.
    """

    key: str
    workflow: str
    number: int
    entity: str
    at: float


@dataclass(frozen=True, slots=True)
class Harm:
    """A fault that was caused.

    Attributes:
        kind: ``kill`` or ``freeze``.
        role: Of which process.
        at: Seconds since the epoch at which it began.
        over: And at which it was over: at once for one that is killed.
        back: At which the role had a process again; None: not seen.
    """

    kind: str
    role: str
    at: float
    over: float
    back: float | None = None


@dataclass(slots=True)
class Ledger:
    """One run's, in memory.

    Attributes:
        sendings: In the order in which they were sent, without gaps.
        arrivals: In the order in which they arrived.
        harms: In the order in which they began.
    """

    sendings: list[Sending] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    harms: list[Harm] = field(default_factory=list)

    @property
    def sent(self) -> range:
        """The numbers of the events that the API has taken."""
        return range(sum(one.count for one in self.sendings))

    def sent_at(self) -> dict[int, float]:
        """Return when each event was first sent."""
        return {number: one.at for one in self.sendings for number in range(one.first, one.first + one.count)}


def line(entry: Sending | Arrival | Harm) -> str:
    """Return an entry as a line."""
    return json.dumps({"entry": type(entry).__name__.lower(), **asdict(entry)}) + "\n"


def read(lines: Iterable[str]) -> Ledger:
    """Return the ledger that lines make; a last one that was cut off by a crash is left out."""
    ledger = Ledger()
    for text in lines:
        if not text.endswith("\n"):
            break
        said: dict[str, Any] = json.loads(text)
        match said.pop("entry"):
            case "sending":
                ledger.sendings.append(Sending(**said))
            case "arrival":
                ledger.arrivals.append(Arrival(**said))
            case "harm":
                ledger.harms.append(Harm(**said))
    return ledger


def as_id(key: str) -> UUID | None:
    """Return an idempotency key as the id that it is; None where it is none."""
    try:
        return UUID(key)
    except ValueError:
        return None
