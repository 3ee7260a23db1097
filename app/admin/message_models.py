"""What the API takes and gives around messages: message templates, channels, notifications."""

from pydantic import BaseModel, ConfigDict

from app.admin.queries import Cursor, Limit, Text
from schemas.channel import Channel
from schemas.message_template import MessageKind, MessageTemplate
from schemas.notification import Notification


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


class ChannelList(BaseModel):
    """Every channel, by name, without its URL."""

    items: list[Channel]


class NotificationQuery(BaseModel):
    """Which notifications to list; ``unread`` leaves out those that were read."""

    model_config = ConfigDict(extra="forbid")

    unread: bool = False
    limit: Limit = 50
    cursor: Cursor = None


class NotificationPage(BaseModel):
    """Notifications, newest first."""

    items: list[Notification]
    next_cursor: str | None
