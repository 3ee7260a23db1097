"""Makes a template's draft of a workflow: what is its author's alone becomes placeholders, or is refused.

Names of secrets, channels and message templates, addresses of people and servers, and ids mean nothing to whoever
applies the template, or should not be known to them. A credential that is written out cannot be told apart from what
goes around it, so that it is refused: it belongs into a secret.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from app.domain.errors import FieldError, InvalidError
from schemas.field_errors import path_text
from schemas.placeholder import Placeholder, PlaceholderType

Path = tuple[int | str, ...]

_UUID: Final = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PHONE: Final = re.compile(r"\+[1-9][0-9 ().-]{5,20}[0-9]")
_SECRET: Final = re.compile(r"(?<=secrets\.)[A-Z][A-Z0-9_]{0,63}\b|(?<=secrets\[['\"])[A-Z][A-Z0-9_]{0,63}(?=['\"]\])")
_URL: Final = re.compile(r"https?://[^\s{}\"'<>]+", re.IGNORECASE)
_CREDENTIAL: Final = re.compile(
    r"authorization|cookie|password|passwd|api[-_]?key|access[-_]?key|private[-_]?key|secret|token", re.IGNORECASE
)
_TEMPLATED: Final = ("{{", "{%")
# Fields that name one thing or person of the author's.
_NAMES: Final[Mapping[str, tuple[PlaceholderType, str]]] = {
    "channel": ("channel", "Channel"),
    "template": ("message_template", "Message template"),
    "sign_with": ("secret", "Secret that signs"),
    "assignee": ("text", "Who takes it"),
    "user": ("text", "Whose inbox"),
    "customer_id": ("text", "Which customer"),
    "conversation_id": ("text", "Which conversation"),
}


class _Generalizer:
    """One workflow on its way to a template; the same value is the same placeholder throughout."""

    def __init__(self) -> None:
        self.asked: dict[tuple[str, str], Placeholder] = {}
        self.refused: list[FieldError] = []

    def config(self, node: Any, path: Path) -> Any:
        """Return an action's config, or a part of it."""
        if isinstance(node, Mapping):
            return {key: self._member(str(key), member, (*path, str(key))) for key, member in node.items()}
        if isinstance(node, list):
            return [self.config(member, (*path, position)) for position, member in enumerate(node)]
        return self.text(node) if isinstance(node, str) else node

    def condition(self, node: Any) -> Any:
        """Return conditions, or one: what an id is compared with becomes a placeholder."""
        if isinstance(node, list):
            return [self.condition(member) for member in node]
        if not isinstance(node, Mapping):
            return self.text(node) if isinstance(node, str) else node
        if _is_id(node.get("field")) and isinstance(node.get("value"), str) and node["value"]:
            value = self._ask("text", "id", f"Value of {node['field']}", node["value"])
            return {**node, "value": value}
        return {key: member if key == "field" else self.condition(member) for key, member in node.items()}

    def text(self, text: str) -> str:
        """Return a text without the author's addresses, ids and secrets' names."""
        if any(mark in text for mark in _TEMPLATED):
            text = _SECRET.sub(lambda found: self._ask("secret", found[0].lower(), "Secret", found[0]), text)
        text = _EMAIL.sub(lambda found: self._ask("email", "email", "E-mail address", found[0]), text)
        text = _UUID.sub(lambda found: self._ask("text", "id", "Id", found[0]), text)
        return text

    def _member(self, key: str, member: Any, path: Path) -> Any:
        constant = isinstance(member, str) and member.strip() != "" and not any(mark in member for mark in _TEMPLATED)
        if constant and key in _NAMES:
            kind, label = _NAMES[key]
            return self._ask(kind, key, label, member)
        if constant and _CREDENTIAL.search(key):
            self.refused.append(
                FieldError(path_text(path), "looks like a credential; keep it as a secret, and name that here")
            )
            return member
        if key == "url" and isinstance(member, str):
            member = _URL.sub(lambda found: self._ask("url", "url", "Address that is called", found[0]), member)
        if key == "to" and isinstance(member, str):
            member = _PHONE.sub(lambda found: self._ask("phone", "phone", "Phone number", found[0]), member)
        return self.config(member, path)

    def _ask(self, kind: PlaceholderType, name: str, label: str, value: str) -> str:
        one = self.asked.get((kind, value))
        if one is None:
            taken = {other.name for other in self.asked.values()}
            free = next(n for n in (name[:45], *(f"{name[:45]}_{k}" for k in range(2, 99_999))) if n not in taken)
            one = Placeholder(name=free, type=kind, label=label[:100])
            self.asked[kind, value] = one
        return f"[[{one.name}]]"


def generalized(workflow: Mapping[str, Any]) -> tuple[dict[str, Any], list[Placeholder]]:
    """Return a workflow's draft with marks for what is its author's, and the placeholders these need.

    Raises:
        InvalidError: It holds what looks like a credential; each is named.
    """
    made = _Generalizer()
    trigger, actions = workflow["trigger"], workflow["actions"]
    draft = {
        **workflow,
        "description": made.text(workflow["description"]),
        "trigger": {**trigger, "config": made.condition(trigger["config"])},
        "conditions": made.condition(workflow["conditions"]),
        "actions": [
            {
                **action,
                "config": made.config(action["config"], ("actions", position, "config")),
                "conditions": made.condition(action["conditions"]),
            }
            for position, action in enumerate(actions)
        ],
    }
    if made.refused:
        raise InvalidError(made.refused)
    return draft, list(made.asked.values())


def _is_id(field: Any) -> bool:
    last = field.rpartition(".")[2] if isinstance(field, str) else ""
    return last == "id" or last.endswith("_id")
