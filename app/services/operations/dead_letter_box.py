"""The dead letters, as administrators work on them: look, replay to where they came from, discard."""

import base64
from collections.abc import Callable, Container, Sequence
from datetime import UTC, datetime
from typing import Final

from app.domain.callers import Caller
from app.domain.errors import ConflictError, NotFoundError
from app.ports import Record
from app.ports.dead_letter_box import BoxStore, DeadLetterFilter, DeadLetterSummary, Shown, State, Stored
from app.services.delivery.dead_letters import MAX_HEADER_BYTES, MAX_HEADERS, MAX_KEY_BYTES
from schemas.base import Contract

MAX_NOTES: Final = 20


class LetterNote(Contract):
    """That an event, or a step of it, was not processed; what is null is shown to administrators only.

    Attributes:
        number: The dead letter's number.
        detail: The error, in words.
    """

    number: int | None
    role: str
    reason: str
    detail: str | None
    failed_at: datetime
    state: State


class DeadLetterDetail(DeadLetterSummary):
    """A dead letter with its bytes; what is null was null in Kafka too.

    Attributes:
        headers_left_out: How many cannot be read: a service that listens may say anything in its letters.
    """

    key: Shown | None
    value: Shown | None
    headers: list[tuple[str, Shown | None]]
    headers_left_out: int = 0


class DeadLetterBox:
    """The use cases; the API checks who may call them.

    Args:
        store: Where dead letters are kept.
        topics: Topics that a record may be replayed to: a record for one that is not there would hold up the outbox.
        now: The clock, in UTC.
    """

    def __init__(
        self, store: BoxStore, topics: Container[str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._topics = topics
        self._now = now

    async def find(self, wanted: DeadLetterFilter, before: int | None, limit: int) -> Sequence[DeadLetterSummary]:
        """List dead letters, newest first."""
        return await self._store.find(wanted, before, limit)

    async def of_event(self, caller: Caller, event_id: str) -> list[LetterNote]:
        """Return what was not processed of an event, newest first; to administrators with its letters."""
        letters = await self._store.find(DeadLetterFilter(event_id=event_id), None, MAX_NOTES)
        return [_note(letter, whole=caller.role == "admin") for letter in letters]

    async def get(self, number: int) -> DeadLetterDetail:
        """Return one with its bytes.

        Raises:
            NotFoundError: There is no dead letter of this number.
        """
        return _detail(_found(await self._store.get(number)))

    async def replay(self, caller: Caller, number: int) -> DeadLetterDetail:
        """Send the original key, value and headers to the original topic, through the outbox, and mark the letter.

        A header that was null goes out empty.

        Raises:
            NotFoundError: There is no dead letter of this number.
            ConflictError: It is not open any more, it was cut or barred, or its topic is not one of ours (any more).
        """
        async with self._store.transaction(caller) as transaction:
            stored = _open(await transaction.get(number))
            self._check_whole(stored)
            headers = [(name, base64.b64decode(value or "")) for name, value in stored.headers]
            await transaction.send(Record(stored.summary.topic, stored.key, stored.value, headers))
            await transaction.mark(number, "replayed", self._now(), caller.user_id)
            return _detail(_found(await transaction.get(number)))

    async def discard(self, caller: Caller, number: int) -> None:
        """Mark a letter as done with; its bytes stay until it is removed with age.

        Raises:
            NotFoundError: There is no dead letter of this number.
            ConflictError: It is not open any more.
        """
        async with self._store.transaction(caller) as transaction:
            _open(await transaction.get(number))
            await transaction.mark(number, "discarded", self._now(), caller.user_id)

    def _check_whole(self, stored: Stored) -> None:
        if stored.summary.barred is not None:
            raise ConflictError(stored.summary.barred)
        if stored.summary.cut:
            raise ConflictError("Only the first 64 KiB of the value are kept; what is not whole is not replayed")
        if stored.left_out:
            raise ConflictError("Headers of it cannot be read; what is not whole is not replayed")
        if len(stored.key or b"") >= MAX_KEY_BYTES or len(stored.headers) >= MAX_HEADERS:
            raise ConflictError("The key or the headers may have been cut; what is not whole is not replayed")
        if any(len(base64.b64decode(value or "")) >= MAX_HEADER_BYTES for _, value in stored.headers):
            raise ConflictError("A header may have been cut; what is not whole is not replayed")
        if stored.key is None and stored.value is None:
            raise ConflictError("The record has neither key nor value; there is nothing to replay")
        if stored.summary.topic not in self._topics:
            raise ConflictError(f"{stored.summary.topic} is not a topic of this installation")


def _note(letter: DeadLetterSummary, *, whole: bool) -> LetterNote:
    note = LetterNote.model_validate(letter, from_attributes=True)
    return note if whole else note.model_copy(update={"number": None, "detail": None})


def _found(stored: Stored | None) -> Stored:
    if stored is None:
        raise NotFoundError("There is no such dead letter")
    return stored


def _open(stored: Stored | None) -> Stored:
    found = _found(stored)
    if found.summary.state != "open":
        when = f" at {found.summary.at.isoformat(timespec='seconds')}" if found.summary.at else ""
        raise ConflictError(f"The dead letter was {found.summary.state}{when}")
    return found


def _detail(stored: Stored) -> DeadLetterDetail:
    headers = [
        (name, _shown(None if value is None else base64.b64decode(value or ""))) for name, value in stored.headers
    ]
    return DeadLetterDetail(
        **dict(stored.summary),
        key=_shown(stored.key),
        value=_shown(stored.value),
        headers=headers,
        headers_left_out=stored.left_out,
    )


def _shown(data: bytes | None) -> Shown | None:
    if data is None:
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    return Shown(base64=base64.b64encode(data).decode("ascii"), text=text)
