"""What a workflow's steps do, in words: ``Send an e-mail “Welcome, Ada”``; it takes drafts, which may be unfinished."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.domain.change_words import condition_in_words


@dataclass(frozen=True, slots=True)
class Step:
    """A step as it is shown.

    Attributes:
        icon: The name of its icon.
        does: What it does, such as ``Send an e-mail``.
        what: What with, in a line; empty where that goes without saying.
        texts: What it says to a person, by what that is.
        only_if: Its own conditions.
    """

    icon: str
    does: str
    what: str
    texts: Mapping[str, str]
    only_if: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a type is said: its words, and the field of its config that says most."""

    icon: str
    does: str
    said_by: str = ""
    quoted: bool = True
    texts: tuple[str, ...] = ()


_KINDS: Final[Mapping[str, _Kind]] = {
    "send_email": _Kind("outbox", "Send an e-mail", "subject", texts=("text",)),
    "send_sms": _Kind("message", "Send a text message", "text"),
    "send_whatsapp": _Kind("message", "Send a WhatsApp message", "text"),
    "send_notification": _Kind("message", "Notify the team", "title", texts=("body",)),
    "webhook": _Kind("send", "Call another system", "url", quoted=False),
    "apply_tag": _Kind("tag", "Put a tag on the customer", "tag"),
    "remove_tag": _Kind("tag", "Take a tag off the customer", "tag"),
    "create_note": _Kind("note", "Write a note on the customer", "text"),
    "create_task": _Kind("yes", "Make a task", "title"),
    "create_appointment": _Kind("calendar", "Make an appointment", "title"),
    "assign_conversation": _Kind("customer", "Give the conversation to", "assignee", quoted=False),
    "update_customer": _Kind("customer", "Change the customer"),
    "delay": _Kind("wait", "Wait", quoted=False),
    "stop_workflow": _Kind("no", "Stop here", "reason", quoted=False),
}
_MOST_CHARS: Final = 160


def step_in_words(action: Mapping[str, Any]) -> Step:
    """Say what a step does."""
    name = str(action.get("type") or "")
    kind = _KINDS.get(name) or _Kind("skip", name.replace("_", " ").capitalize() or "A step without a type")
    given = action.get("config")
    config: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    conditions = action.get("conditions")
    return Step(
        kind.icon,
        kind.does,
        _what(name, kind, config),
        {field: str(config[field]) for field in kind.texts if config.get(field)},
        tuple(map(condition_in_words, conditions if isinstance(conditions, list) else ())),
    )


def _what(name: str, kind: _Kind, config: Mapping[str, Any]) -> str:
    if name == "delay":
        return _wait(config)
    if name == "update_customer":
        fields = config.get("set")
        return ", ".join(map(str, fields)) if isinstance(fields, Mapping) else ""
    said = config.get(kind.said_by) or (config.get("template") and f"the message template {config['template']}")
    if not said:
        return ""
    line = " ".join(str(said).split())
    line = line if len(line) <= _MOST_CHARS else f"{line[: _MOST_CHARS - 1]}…"
    return f"“{line}”" if kind.quoted else line


def _wait(config: Mapping[str, Any]) -> str:
    if config.get("duration") is not None:
        return f"for {config['duration']}"
    said = f"until {config['until']}" if config.get("until") is not None else ""
    if config.get("offset"):
        said += f" {config['offset']}"
    return f"{said}, on to {config['at']}" if config.get("at") else said
