"""What becomes of a record that cannot be processed: a dead letter with its coordinates, reason and bytes."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice

from prometheus_client import Counter

from app.domain.errors import PoisonError
from app.domain.times import from_seconds
from app.ports import Record, Sender
from app.topics import Topics
from schemas.dead_letter import MAX_ORIGINAL_BYTES, DeadLetter, to_base64
from schemas.incoming import Incoming

DEAD_LETTERS = Counter("headrace_dead_letters_total", "Records that could not be processed", ["role", "reason"])

_MAX_DETAIL = 2000
MAX_KEY_BYTES = 4096
MAX_HEADERS = 64
MAX_HEADER_BYTES = 1024


class DeadLetters:
    """Builds and sends dead letters for one role."""

    def __init__(self, *, topics: Topics, sender: Sender, role: str, clock: Callable[[], datetime]) -> None:
        self._topics = topics
        self._sender = sender
        self._role = role
        self._clock = clock

    def build(self, record: Incoming, error: PoisonError) -> Record:
        """Build the dead letter of a record that cannot be processed, and count it."""
        DEAD_LETTERS.labels(self._role, error.reason).inc()
        return dead_letter(
            self._topics, record, reason=error.reason, detail=error.detail, role=self._role, now=self._clock()
        )

    async def send(self, record: Incoming, error: PoisonError) -> None:
        """Send it; durable when this returns."""
        await self._sender.send(self.build(record, error))


def dead_letter(topics: Topics, record: Incoming, *, reason: str, detail: str, role: str, now: datetime) -> Record:
    """Build the dead letter of ``record``; its key is where it came from, so that a replay can find it."""
    value = record.value
    letter = DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=from_seconds(record.timestamp),
        reason=reason,
        detail=printable(detail)[:_MAX_DETAIL],
        key=to_base64(record.key and record.key[:MAX_KEY_BYTES]),
        value=to_base64(value if value is None else value[:MAX_ORIGINAL_BYTES]),
        size=len(value or b""),
        cut=value is not None and len(value) > MAX_ORIGINAL_BYTES,
        headers=_headers(record.headers or ()),
        failed_at=now,
        role=role,
    )
    key = f"{record.topic}/{record.partition}/{record.offset}".encode()
    return Record(topics.dead_letters, key, letter.encode())


def printable(text: str) -> str:
    """Return text that JSON and Postgres can hold: NUL and lone surrogates become escapes."""
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def _headers(headers: Iterable[tuple[str, bytes | None]]) -> list[tuple[str, str | None]]:
    # Bounded, so that a dead letter always fits in a record, whatever it was made of.
    return [
        (printable(name)[:MAX_HEADER_BYTES], to_base64(value and value[:MAX_HEADER_BYTES]))
        for name, value in islice(headers, MAX_HEADERS)
    ]
