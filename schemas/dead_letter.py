"""Dead letters: what could not be processed, with what is needed to understand and replay it."""

import base64
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from schemas.base import Contract

MAX_ORIGINAL_BYTES: Final = 64 * 1024


class DeadLetter(Contract):
    """One record that could not be processed.

    Attributes:
        topic: Where it was read, with ``partition`` and ``offset``.
        reason: A short stable word, also the metric's label.
        detail: The error, for people; no secrets.
        key: Base64 of the original key, or None.
        value: Base64 of the original value, at most 64 KiB of it; None for a tombstone.
        size: The original value's size in bytes.
        headers: Names and base64 values, in order, repeats kept.
        reader: The consumer group that read it, and for which of its parts, such as a source; empty in letters of
            older writers.
        digest: A digest of the record's Kafka timestamp, key, value and headers: it tells it from a record
            that stood at the same place in a topic of the same name before. Empty in letters of older writers.
        event_id: The id of the event that it is or carries, as far as it can be made out; so ``source`` and ``entity``.
    """

    v: Literal[1] = 1
    topic: str
    partition: int
    offset: Annotated[int, Field(ge=0)]
    timestamp: datetime | None = None
    reason: str
    detail: str
    key: str | None = None
    value: str | None = None
    size: int = 0
    cut: bool = False
    headers: list[tuple[str, str | None]] = Field(default_factory=list)
    failed_at: datetime
    role: str
    reader: str = ""
    digest: str = ""
    event_id: str | None = None
    source: str | None = None
    entity: str | None = None


def to_base64(data: bytes | None) -> str | None:
    """Encode bytes for a dead letter; None stays None."""
    return None if data is None else base64.b64encode(data).decode("ascii")
