"""``send_notification``: to a channel that an administrator set up, or into a user's inbox in the application.

A channel is outside our Postgres, and nothing there recognises a repeated message; the inbox is a row under the
command's id, which is put in once however often it is tried.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field

from app.actions.base import ActionContext, CompiledConfig, LeasedAction, MessageTextSpec, Ports
from app.actions.constants import judged_on_save
from app.actions.message_text import FROM_TEMPLATE, MessageTextConfig, NeededWords
from app.actions.providers import OnUncertain, not_twice
from app.actions.rights import notifying
from app.actions.shown import Shown, Way, form
from app.actions.templated import Templated
from app.actions.values import filled_line, filled_text, refuse
from app.domain.errors import ActionFailedError
from app.domain.needs import Need
from app.ports import Notice
from schemas.message_template import TemplateName
from schemas.together import Together, Wrong

MAX_TITLE_CHARS: Final = 250
MAX_BODY_CHARS: Final = 16_384
MAX_USER_CHARS: Final = 64


def _user(field: str, value: Any) -> UUID:
    written = filled_line(field, value, max_chars=MAX_USER_CHARS)
    try:
        return UUID(written)
    except ValueError:
        refuse(field, f"{written!r} is no user's id")


class SendNotificationConfig(Together, MessageTextConfig):
    """Whom to tell what: a channel or a user; words of its own, or a message template."""

    model_config = form(
        "Tell your team",
        "Writes into a channel of your team, or into a colleague's inbox.",
        icon="bell",
        family="Messages",
        message="notification",
        summary=("“{title}” to {channel}", "“{title}” to {user}", "to {channel}", "“{title}”"),
        choices={
            "Who is told": (Way("A channel", ("channel",)), Way("A colleague", ("user",))),
            "The words": (Way("Write them here", ("title", "body")), FROM_TEMPLATE),
        },
    )

    channel: Annotated[
        TemplateName | None,
        Shown("Channel", "The name of a Slack, Teams or other channel that an administrator set up.", "channel"),
        Field(description="Name of a channel that an administrator set up"),
    ] = None
    user: Annotated[
        str | None,
        Templated(),
        Shown("Colleague", "The colleague's user id; it appears in their inbox here.", "line"),
        Field(min_length=1, description="Id of a user, for the inbox"),
        judged_on_save(_user),
    ] = None
    title: Annotated[
        str,
        Templated(),
        NeededWords,
        Shown("Title", "One line that says what it is about.", "line", example="Order {{ order.id }} is paid"),
        Field(validate_default=True, description="One line"),
        judged_on_save(partial(filled_line, max_chars=MAX_TITLE_CHARS)),
    ] = ""
    body: Annotated[
        str,
        Templated(),
        NeededWords,
        Shown("Text", "What they need to know.", "text"),
        Field(validate_default=True, description="Plain text"),
        judged_on_save(partial(filled_text, max_chars=MAX_BODY_CHARS)),
    ] = ""
    on_uncertain: OnUncertain = "retry"

    @classmethod
    def wrong_together(cls, written: Mapping[str, Any]) -> Iterator[Wrong]:
        """One of channel and user is needed."""
        if (written.get("channel") is None) == (written.get("user") is None):
            yield "channel", "channel or user is needed, and not both"


@dataclass(frozen=True, slots=True)
class NotificationRequest:
    """A rendered notification, for a channel or for a user."""

    channel: str | None
    user: UUID | None
    title: str
    body: str
    on_uncertain: OnUncertain


class SendNotification(LeasedAction[SendNotificationConfig, NotificationRequest]):
    """Sends a notification; output ``{channel}`` or ``{notification_id}``."""

    name = "send_notification"
    family = "notification"
    config = SendNotificationConfig
    message_text = MessageTextSpec("notification", {"title": "subject", "body": "text"}, {"channel": "example"})
    at_once = 10  # channels are served by threads, and both lanes share twenty of them
    many_destinations = True

    def destination(self, request: NotificationRequest) -> str:
        """Return the channel, or the inbox."""
        return "inbox" if request.channel is None else f"channel {request.channel}"

    def repeatable(self, request: NotificationRequest) -> bool:
        """Return True for the inbox, which holds a command's notification once."""
        return request.channel is None

    def prepare(self, config: CompiledConfig[SendNotificationConfig], context: ActionContext) -> NotificationRequest:
        """Render and check the user, the title and the body."""
        fields = config.render(context.scope)
        written = config.config
        return NotificationRequest(
            channel=written.channel,
            user=None if fields["user"] is None else _user("user", fields["user"]),
            title=filled_line("title", fields["title"], max_chars=MAX_TITLE_CHARS),
            body=filled_text("body", fields["body"], max_chars=MAX_BODY_CHARS),
            on_uncertain=written.on_uncertain,
        )

    def needs(self, request: NotificationRequest, context: ActionContext) -> Need | None:
        """Return what that inbox needs; channels are granted in a way of their own."""
        return notifying(request.user, context)

    async def perform(self, request: NotificationRequest, ports: Ports, context: ActionContext) -> dict[str, Any]:
        """Hand the notification over, once."""
        if request.channel is None:
            return await _put(request, ports, context)
        notifier, channel = ports.notifier, request.channel
        if notifier is None:
            raise ActionFailedError("not set up: this process sends to no channels", permanent=True)
        await not_twice(
            lambda: notifier.notify(channel, request.title, request.body, use=context.use, within=context.within),
            context,
            request.on_uncertain,
        )
        return {"channel": channel}


async def _put(request: NotificationRequest, ports: Ports, context: ActionContext) -> dict[str, Any]:
    if ports.inbox is None or request.user is None:
        raise ActionFailedError("not set up: this process has no inbox", permanent=True)
    link = context.origin.link
    notice = Notice(
        id=context.effect_id,
        user=request.user,
        title=request.title,
        body=request.body,
        workflow_id=link.workflow_id,
        execution_id=link.execution_id,
    )
    await ports.inbox.put(notice, within=context.within)
    return {"notification_id": str(notice.id)}
