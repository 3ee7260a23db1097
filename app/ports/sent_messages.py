"""What went out, as those have it that it went to: known where stand-ins take it, as in the embedded default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

SentKind = Literal["mail", "sms", "whatsapp", "webhook"]


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A mail, text message or webhook that arrived.

    Attributes:
        number: Which of its receiver's.
        at: When it arrived.
        to: Whom, or which path, it went to.
        title: A mail's subject.
        text: What it says; in a list how that begins.
        html: Of a mail, how it says it in HTML.
        facts: What else is known of it, by name.
    """

    kind: SentKind
    number: int
    at: datetime
    to: str
    title: str
    text: str
    html: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


class SentMessages(Protocol):
    """What arrived, for as long as it is kept."""

    async def newest(self, kind: SentKind | None, before: float | None, count: int) -> Sequence[SentMessage]:
        """Return the newest, newest first.

        Args:
            kind: Of one kind, or of all.
            before: Those that arrived earlier, in seconds since 1970.
            count: At most so many.

        Raises:
            UnreachableError: What keeps them does not answer.
        """

    async def get(self, kind: SentKind, number: int) -> SentMessage:
        """Return one in full.

        Raises:
            NotFoundError: It is not kept.
            UnreachableError: What keeps it does not answer.
        """
