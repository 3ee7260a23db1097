"""What becomes of a record that cannot be processed: a dead letter with its coordinates, reason and bytes."""

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

import orjson

from app.domain.errors import PoisonError, UnreachableError
from app.domain.storable import escaped
from app.domain.times import from_seconds
from app.metrics.delivery import DEAD_LETTERS
from app.ports import Record, Sender
from app.services.delivery.letter_subjects import About, about
from app.services.operations.sparing import Sparing
from app.topics import Topics
from schemas.dead_letter import MAX_ORIGINAL_BYTES, DeadLetter, to_base64
from schemas.incoming import Incoming
from schemas.log_ids import of_record, of_value

log = logging.getLogger(__name__)

_MAX_DETAIL = 2000
# A topic full of what is no event makes so many lines in so many seconds, and a counter of the rest.
_LINES = 20
_LINES_S = 10.0
_SAID_CHARS = 500
MAX_READER_CHARS = 256
MAX_KEY_BYTES = 4096
MAX_HEADERS = 64
MAX_HEADER_BYTES = 1024


class DeadLetters:
    """Builds and sends dead letters for one role.

    Args:
        topics: Names of the topics.
        sender: Sends dead letters.
        role: The role that reads.
        clock: The time.
        reader: The consumer group; without, the one that a role of ours reads as.
        to: Topic for them; without, that of our roles.
    """

    def __init__(
        self,
        *,
        topics: Topics,
        sender: Sender,
        role: str,
        clock: Callable[[], datetime],
        reader: str | None = None,
        to: str | None = None,
    ) -> None:
        self._sender = sender
        self._role = role
        self._reader = reader or f"{topics.prefix}{role}"
        self._to = to or topics.dead_letters
        self._clock = clock
        self._lines = Sparing(_LINES, _LINES_S)

    def build(
        self, record: Incoming, error: PoisonError, *, part: str | None = None, subject: About | None = None
    ) -> Record:
        """Build the dead letter of a record that cannot be processed, and count it.

        Args:
            record: What cannot be processed.
            error: Why it is a dead letter.
            part: Which of the reader's parts it is for, where several read the same record: a source, a handler.
            subject: What it is about, where that is known better than from the record alone.
        """
        DEAD_LETTERS.labels(self._role, error.reason).inc()
        reader, named = self._reader if part is None else f"{self._reader}/{part}", subject or about(record)
        if self._lines.admits():
            said = {"reader": reader, "reason": error.reason, "why": error.detail[:_SAID_CHARS], **_ids(record, named)}
            log.warning("a record becomes a dead letter", extra=said | self._lines.held_back())
        return dead_letter(
            self._to,
            record,
            reason=error.reason,
            detail=error.detail,
            role=self._role,
            now=self._clock(),
            reader=reader,
            subject=named,
        )

    async def send(self, record: Incoming, error: PoisonError, *, part: str | None = None) -> None:
        """Send it; durable when this returns.

        Raises:
            UnreachableError: Kafka does not answer, or takes no dead letters.
        """
        await self.deliver(self.build(record, error, part=part))

    def is_letter(self, record: Record) -> bool:
        """Whether a record is a dead letter."""
        return record.topic == self._to

    async def deliver(self, letter: Record) -> None:
        """Send a dead letter that was built; one that is too large for its topic goes without the original's bytes.

        Raises:
            UnreachableError: Kafka does not answer, or takes no dead letters: their topic is missing, say.
        """
        refusal = (await self._sender.deliver((letter,)))[0]
        if refusal is not None:
            bare = {**orjson.loads(letter.value or b"{}"), "value": None, "key": None, "headers": [], "cut": True}
            refusal = (await self._sender.deliver((replace(letter, value=orjson.dumps(bare)),)))[0]
        if refusal is not None:
            raise UnreachableError(f"Kafka takes no dead letters: {refusal}")


def _ids(record: Incoming, named: About) -> dict[str, Any]:
    event = {"event_id": named.event_id, "event_source": named.source}
    return {**of_record(record), **of_value(record.value), **{name: one for name, one in event.items() if one}}


def dead_letter(
    to: str,
    record: Incoming,
    *,
    reason: str,
    detail: str,
    role: str,
    now: datetime,
    reader: str = "",
    subject: About | None = None,
) -> Record:
    """Build the dead letter of ``record``; its key is who read it and where, so that copies of it stay in order."""
    value = record.value
    named = subject or about(record)
    read_by = escaped(reader)[:MAX_READER_CHARS]
    letter = DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=from_seconds(record.timestamp),
        reason=reason,
        detail=escaped(detail)[:_MAX_DETAIL],
        key=to_base64(record.key and record.key[:MAX_KEY_BYTES]),
        value=to_base64(value if value is None else value[:MAX_ORIGINAL_BYTES]),
        size=len(value or b""),
        cut=value is not None and len(value) > MAX_ORIGINAL_BYTES,
        headers=_headers(record.headers or ()),
        failed_at=now,
        role=role,
        reader=read_by,
        digest=_digest(record),
        event_id=named.event_id,
        source=named.source,
        entity=named.entity,
    )
    key = f"{read_by}:{record.topic}/{record.partition}/{record.offset}".encode()
    return Record(to, key, letter.encode())


def _digest(record: Incoming) -> str:
    """Tell a record from any other that may stand at its place once its topic is made anew."""
    digest = hashlib.blake2b(repr(record.timestamp).encode(), digest_size=16)
    parts = [record.key, record.value]
    for name, data in record.headers or ():
        parts += [name.encode("utf-8", "surrogatepass"), data]
    for part in parts:
        digest.update(b"-" if part is None else b"%d:" % len(part))
        digest.update(part or b"")
    return digest.hexdigest()


def _headers(headers: Iterable[tuple[str, bytes | None]]) -> list[tuple[str, str | None]]:
    # Bounded, so that a dead letter of any record fits in a record.
    return [
        (escaped(name)[:MAX_HEADER_BYTES], to_base64(value and value[:MAX_HEADER_BYTES]))
        for name, value in islice(headers, MAX_HEADERS)
    ]
