"""Message templates: texts with a name, which actions that send messages can use in place of their own."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.base import Contract

MessageKind = Literal["email", "sms", "whatsapp", "notification"]

MAX_PART_CHARS: Final = 256 * 1024
NAME_PATTERN: Final = r"^[a-z0-9]+([._-][a-z0-9]+)*$"

TemplateName = Annotated[
    str, Field(max_length=100, pattern=NAME_PATTERN, description="Small letters and digits, with . _ - between them")
]


class MessageTemplateDraft(Contract):
    """A message template as a user writes it: Jinja2 sources over what the action that uses it sees.

    Attributes:
        kind: Which action uses it: ``send_email``, ``send_sms``, ``send_whatsapp`` or ``send_notification``.
        subject: The subject of an e-mail or the title of a notification; the others have none.
        html: The HTML body of an e-mail.
    """

    model_config = ConfigDict(extra="forbid")

    name: TemplateName
    kind: MessageKind
    subject: Annotated[str, Field(max_length=10_000)] = ""
    text: Annotated[str, Field(max_length=MAX_PART_CHARS)] = ""
    html: Annotated[str, Field(max_length=MAX_PART_CHARS)] = ""


class MessageTemplate(Contract):
    """A message template as the API shows it."""

    id: UUID
    name: str
    kind: MessageKind
    subject: str
    text: str
    html: str
    version: int
    created_by: UUID
    created_at: datetime
    updated_at: datetime
