"""A sender that keeps records in memory and is as strict as Kafka's; both pass the same contract tests."""

from collections.abc import Sequence

from app.adapters.kafka.sendable import flaw
from app.domain.errors import UnreachableError
from app.ports import Record, Refusal, Sender


class MemorySender(Sender):
    """Keeps what it is given.

    Attributes:
        records: Everything that was sent, in order.
        reachable: Set it to False, and every send fails as with a broker that is down.
        topics: If not None, the only topics that exist.
        most: By topic, the bytes that a value may have, as with a topic's ``max.message.bytes``.
    """

    def __init__(self, topics: frozenset[str] | None = None) -> None:
        self.records: list[Record] = []
        self.reachable = True
        self.topics = topics
        self.most: dict[str, int] = {}

    async def deliver(self, records: Sequence[Record]) -> Sequence[Refusal | None]:
        """Keep records in order; see :class:`app.ports.Sender`."""
        if not self.reachable:
            raise UnreachableError("Kafka does not answer (told so by the test)")
        refusals = [flaw(record) or self._refusal(record) for record in records]
        self.records.extend(record for record, refusal in zip(records, refusals, strict=True) if refusal is None)
        return refusals

    async def ping(self) -> None:
        """Fail as a broker that is down would, if told to."""
        if not self.reachable:
            raise UnreachableError("Kafka does not answer (told so by the test)")

    def on(self, topic: str) -> list[Record]:
        """The records of one topic, in order."""
        return [record for record in self.records if record.topic == topic]

    def _refusal(self, record: Record) -> Refusal | None:
        if self.topics is not None and record.topic not in self.topics:
            return Refusal("no_topic", "the topic does not exist")
        if len(record.value or b"") > self.most.get(record.topic, len(record.value or b"")):
            return Refusal("too_large", "the topic takes no record of this size")
        return None
