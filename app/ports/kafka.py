"""What produces records to Kafka, and what reads them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from app.domain.errors import FieldError, InvalidError, UnreachableError
from schemas.incoming import Incoming

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Record:
    """A record to produce; ``key`` decides the partition.

    Attributes:
        cause: The record that it follows from, where there is one; it is not sent, and makes no two records differ.
            Should this one be refused, that one's dead letter says so.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    cause: Incoming | None = field(default=None, compare=False, repr=False)

    @property
    def size(self) -> int:
        """Bytes of key, value and headers."""
        headers = sum(len(name) + len(content or b"") for name, content in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why Kafka does not take a record although it answers: to send it again as it is changes nothing.

    Attributes:
        reason: ``too_large``; ``no_topic``: the topic does not exist, or this client may not write to it, which an
            operator can mend; ``refused``: the broker or the encoding refuses it for another reason.
        detail: Why it is refused, in words.
    """

    reason: Literal["too_large", "no_topic", "refused"]
    detail: str

    def __str__(self) -> str:
        """Return both, as logs and rows hold them."""
        return f"{self.reason}: {self.detail}"


class Sender(Protocol):
    """Produces records to Kafka; ``deliver`` is the one way, the rest is said in its terms."""

    async def deliver(self, records: Sequence[Record]) -> Sequence[Refusal | None]:
        """Produce records in the given order per partition; what is refused holds nothing else up.

        Records that the broker refused together with others are tried once more alone, and may then come behind later
        ones of their partition.

        Returns:
            For each record why it is refused, or None: then it is durable (acks=all).

        Raises:
            UnreachableError: Kafka does not confirm them all; what was sent may or may not arrive.
        """

    async def send(self, record: Record) -> None:
        """Produce one record; see ``send_all``."""
        for refusal in await self.deliver((record,)):
            if refusal is not None:
                raise _as_error("", record, refusal)

    async def send_all(self, records: Sequence[Record]) -> None:
        """Produce records whose refusal is the caller's mistake; all are durable when this returns.

        Raises:
            InvalidError: Some are refused; the paths are ``[3]``. The others are durable.
            UnreachableError: Kafka does not confirm them, or a topic does not exist, which is no mistake in a record.
        """
        refusals = await self.deliver(records)
        errors = [
            _as_error(f"[{at}]", record, refusal)
            for at, (record, refusal) in enumerate(zip(records, refusals, strict=True))
            if refusal is not None
        ]
        for error in errors:
            if isinstance(error, UnreachableError):
                raise error
        if errors:
            raise InvalidError([found for error in errors if isinstance(error, InvalidError) for found in error.errors])


def _as_error(path: str, record: Record, refusal: Refusal) -> InvalidError | UnreachableError:
    if refusal.reason == "no_topic":
        return UnreachableError(f"Kafka did not take a record for {record.topic}: {refusal.detail}")
    return InvalidError([FieldError(path, f"is refused: {refusal.detail}")])


class Subscriber(Protocol):
    """Reads topics as one member of a consumer group: at least once, in order within a partition.

    All methods raise ``UnreachableError`` where Kafka does not answer.
    """

    @property
    def group(self) -> str:
        """The consumer group."""

    async def follow(self, topics: Collection[str]) -> None:
        """Read these topics and no others, from where the group is, a new group from the beginning."""

    async def fetch(self) -> Sequence[Incoming]:
        """Return the next records, some dozens at most; none where none have come within a second."""

    async def done(self, records: Sequence[Incoming]) -> None:
        """Let the group go past records: what is not done comes again, to the next reader of the partition."""


class PingableSender(Sender, Protocol):
    """A sender that can be asked whether the broker answers."""

    async def ping(self) -> None:
        """Return if it does.

        Raises:
            UnreachableError: It does not.
        """
