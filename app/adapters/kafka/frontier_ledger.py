"""Where a source's records stand: each says so itself, by its place in its consumer's frontier."""

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from app.adapters.kafka.budget import MIB
from app.adapters.kafka.frontier import Frontier, Tracked

# A batch is decoded as a whole, which takes some times its bytes.
_BATCH_BYTES: Final = 8 * MIB

T = TypeVar("T", bound=Tracked)


def fit_a_batch(frontier: Frontier, most: int) -> int:
    """Return how many records to hand out at once, at least one and at most ``most``: fewer of large ones."""
    return max(min(most, int(_BATCH_BYTES / frontier.typical) + 1), 1)


class FrontierLedger(Generic[T]):
    """The half of a :class:`~app.ports.record_source.RecordSource` that asks Kafka nothing."""

    def begin(self, message: T, /) -> bool:
        """Start on a record; False: it was revoked or discarded, drop it silently."""
        return message.lane.frontier.begin(message)

    def abandon(self, message: T, /) -> None:
        """Give back a record that has begun but of which nothing with an effect ran."""
        message.lane.frontier.abandon(message)

    def is_closing(self, message: T, /) -> bool:
        """Whether the record's partition is being given up: cut waits short, start nothing new."""
        return message.lane.closing

    def ack(self, message: T, /) -> bool:
        """Finish a record: its offset may be committed once all before it are; False: the ack came too late."""
        return message.lane.frontier.done(message)

    def ack_many(self, messages: Sequence[T], /) -> None:
        """Finish a batch."""
        for message in messages:
            self.ack(message)
