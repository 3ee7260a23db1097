"""Where the texts of named message templates come from."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from schemas.message_template import MessageKind


@dataclass(frozen=True, slots=True)
class MessageText:
    """What a message template says: Jinja2 sources by part; a part that its kind has not is empty."""

    subject: str
    text: str
    html: str


class MessageTexts(Protocol):
    """Looks message templates up."""

    async def find(self, owner: UUID, kind: MessageKind, name: str) -> MessageText | None:
        """Return the owner's template of that kind and name; None where the owner has no such template.

        Raises:
            UnreachableError: They cannot be looked up.
        """
