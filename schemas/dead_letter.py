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


def to_base64(data: bytes | None) -> str | None:
    """Encode bytes for a dead letter; None stays None."""
    return None if data is None else base64.b64encode(data).decode("ascii")
