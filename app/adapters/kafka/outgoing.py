"""Records on their way out, and what is known about each: why it is refused, and the topics that are not known."""

from collections.abc import Iterable, Sequence

from app.adapters.kafka.sendable import flaw
from app.ports import Record, Refusal


class Outgoing:
    """What one call is to deliver.

    Args:
        records: It.

    Attributes:
        refusals: Why each record is refused, or None.
        unknown: Topics whose partitions the producer does not know.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.refusals = [flaw(record) for record in records]
        self.unknown: set[str] = set()

    def left(self, *, of_unknown: bool | None = None) -> list[int]:
        """Places of records that are not refused; only those of unknown topics, only the others, or all."""
        return [
            at
            for at, (record, refusal) in enumerate(zip(self.records, self.refusals, strict=True))
            if refusal is None and (of_unknown is None or (record.topic in self.unknown) is of_unknown)
        ]

    def topics(self, places: Iterable[int]) -> set[str]:
        """Topics of some records."""
        return {self.records[at].topic for at in places}

    def refuse(self, places: Iterable[int], why: Refusal) -> None:
        """Refuse some records."""
        for at in places:
            self.refusals[at] = why

    def refuse_topics(self, topics: set[str], why: Refusal) -> None:
        """Refuse all records of some topics."""
        self.refuse((at for at, record in enumerate(self.records) if record.topic in topics), why)
