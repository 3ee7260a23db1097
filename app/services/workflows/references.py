"""What a workflow's actions name that must be there: message templates, and channels of notifications."""

from collections.abc import Sequence

from app.actions.configs import compile_action
from app.actions.message_text import template_named
from app.actions.registry import REGISTRY
from app.actions.send_notification import SendNotification
from app.actions.webhook_config import WebhookConfig
from app.domain.errors import ActionFailedError
from app.ports.workflows import Reference
from schemas.workflow import Action


def references(actions: Sequence[Action]) -> list[Reference]:
    """Return what the actions name, in their order."""
    found: list[Reference] = []
    for position, action in enumerate(actions):
        kind = REGISTRY.find(action.type)
        name = template_named(kind, action.config) if kind is not None else None
        if kind is not None and kind.message_text is not None and name is not None:
            found.append(Reference(f"actions[{position}].config.template", kind.message_text.kind, name))
        channel = channel_named(action)
        if channel is not None:
            found.append(Reference(f"actions[{position}].config.channel", "channel", channel))
        found += _secrets(action, f"actions[{position}].config")
    return found


def channel_named(action: Action) -> str | None:
    """Return the channel that an action sends to."""
    channel = action.config.get("channel") if action.type == SendNotification.name else None
    return channel if isinstance(channel, str) else None


def _secrets(action: Action, path: str) -> list[Reference]:
    try:
        compiled = compile_action(action.type, action.config).config
    except ActionFailedError:
        return []  # of an action that was stored by another program; it says so when it runs
    place = compiled.config.known_place if isinstance(compiled.config, WebhookConfig) else None
    return [Reference(f"{path}.{compiled.place_of(name)}", "secret", name, place) for name in sorted(compiled.secrets)]
