"""What a workflow's actions name that must be there: message templates, and channels of notifications."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.actions.registry import REGISTRY
from app.actions.send_notification import SendNotification
from app.actions.wording import template_named
from app.domain.errors import FieldError
from schemas.message_template import MessageKind
from schemas.workflow import Action


@dataclass(frozen=True, slots=True)
class Reference:
    """Something named.

    Attributes:
        path: Where, as in ``actions[1].config.template``.
        kind: A message template's kind, or a channel.
    """

    path: str
    kind: MessageKind | Literal["channel"]
    name: str

    @property
    def missing(self) -> FieldError:
        """What to say where it is not there."""
        what = "channel" if self.kind == "channel" else f"{self.kind} template of the workflow's owner"
        return FieldError(self.path, f"there is no {what} named {self.name!r}")


def references(actions: Sequence[Action]) -> list[Reference]:
    """Return what the actions name, in their order."""
    found: list[Reference] = []
    for position, action in enumerate(actions):
        kind = REGISTRY.find(action.type)
        name = template_named(kind, action.config) if kind is not None else None
        if kind is not None and kind.wording is not None and name is not None:
            found.append(Reference(f"actions[{position}].config.template", kind.wording.kind, name))
        channel = action.config.get("channel") if action.type == SendNotification.name else None
        if isinstance(channel, str):
            found.append(Reference(f"actions[{position}].config.channel", "channel", channel))
    return found
