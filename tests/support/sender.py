"""A sender that keeps records in memory and is as strict as Kafka's; both pass the same contract tests."""

from collections.abc import Sequence

from app.domain.errors import FieldError, InvalidError, UnreachableError
from app.ports import Record
from app.topics import MAX_RECORD_BYTES


class MemorySender:
    """Keeps what it is given.

    Attributes:
        records: Everything that was sent, in order.
        reachable: Set it to False, and every send fails as with a broker that is down.
        topics: If not None, the only topics that exist.
    """

    def __init__(self, topics: frozenset[str] | None = None) -> None:
        self.records: list[Record] = []
        self.reachable = True
        self.topics = topics

    async def send(self, record: Record) -> None:
        """Keep one record; see :class:`app.ports.Sender`."""
        await self.send_all((record,))

    async def send_all(self, records: Sequence[Record]) -> None:
        """Keep records in order; see :class:`app.ports.Sender`."""
        for record in records:
            self._admit(record)
            self.records.append(record)

    async def ping(self) -> None:
        """Fail as a broker that is down would, if told to."""
        if not self.reachable:
            raise UnreachableError("Kafka does not answer (told so by the test)")

    def on(self, topic: str) -> list[Record]:
        """The records of one topic, in order."""
        return [record for record in self.records if record.topic == topic]

    def _admit(self, record: Record) -> None:
        if not self.reachable:
            raise UnreachableError("Kafka does not answer (told so by the test)")
        if self.topics is not None and record.topic not in self.topics:
            raise UnreachableError(f"Kafka did not confirm a record for {record.topic} (no such topic)")
        for name, content in record.headers:
            if not isinstance(name, str) or not isinstance(content, bytes):
                raise TypeError("a header is a str and bytes")
        if any(part is not None and not isinstance(part, bytes) for part in (record.key, record.value)):
            raise TypeError("key and value are bytes or None")
        if len(record.key or b"") + len(record.value or b"") >= MAX_RECORD_BYTES:
            raise InvalidError([FieldError("", f"a record may have at most {MAX_RECORD_BYTES} bytes")])
