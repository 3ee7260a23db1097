"""What the API takes and gives around messages: pages, queries and patches of message templates."""

from pydantic import BaseModel, ConfigDict

from app.admin.queries import Cursor, Limit, Text
from schemas.message_template import MessageKind, MessageTemplate


class MessageTemplateQuery(BaseModel):
    """Which message templates to list; ``search`` looks into names."""

    model_config = ConfigDict(extra="forbid")

    kind: MessageKind | None = None
    search: Text = None
    limit: Limit = 50
    cursor: Cursor = None


class MessageTemplatePage(BaseModel):
    """Message templates, newest first."""

    items: list[MessageTemplate]
    next_cursor: str | None


class MessageTemplatePatch(BaseModel):
    """A JSON merge patch of a message template. The merged draft is checked like a new one."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    kind: MessageKind | None = None
    subject: str | None = None
    text: str | None = None
    html: str | None = None
