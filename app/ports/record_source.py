"""Where an agent's records come from: what stands between the loops that read and Kafka."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, TypeVar

from app.ports.ledger import Ledger
from schemas.incoming import Incoming

M = TypeVar("M", bound=Incoming)


class RecordSource(Ledger[M], Protocol[M]):
    """One agent's records, and where each of them stands; on Kafka it is a stream of our Faust transport.

    A record is begun before it is worked on. What has not begun when its partition is taken away is dropped silently:
    the partition's next owner reads it again. What has begun is finished with ``ack`` or given back with ``abandon``,
    and the offset that is committed never passes a record that is not finished.
    """

    def batches(self, *, max_records: int) -> AsyncIterator[Sequence[M]]:
        """Yield what has arrived, a partition's records in order, at least one and at most ``max_records`` at a time.

        Large records come fewer at a time. It never waits by the clock: where there is nothing it waits for the first
        record, and a single record is a batch. The iteration ends when the agent is stopped.
        """

    def ack_many(self, records: Sequence[M], /) -> None:
        """Say that a batch is done for good."""

    async def crash(self, error: BaseException, /) -> None:
        """End the process with an error; what is not finished stays uncommitted, and a restart reads it again."""
