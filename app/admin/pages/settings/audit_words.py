"""Lines of the audit trail in words: who did what to which thing, and what is different since."""

import json
from collections.abc import Mapping
from typing import Any, Final

from app.admin.pages.settings.words import HOW, PERMISSIONS, ROLES
from app.domain.grants import ALL
from app.ports.audit import AuditChange, AuditEntry

MAX_VALUE_CHARS: Final = 80
KINDS: Final[Mapping[str, str]] = {
    "workflow": "workflow",
    "template": "workflow template",
    "message_template": "message template",
    "channel": "channel",
    "secret": "secret",
    "api_key": "API key",
    "user": "user",
    "permissions": "permissions",
    "session": "session",
    "sign_in": "sign-in",
    "identity": "sign-in at the organization",
    "execution": "execution",
    "waiting": "executions that wait",
    "executions": "executions",
    "events": "events",
    "dead_letter": "dead letter",
    "quotas": "quotas",
}
_DONE: Final[Mapping[str, str]] = {
    "created": "made",
    "activated": "switched on",
    "deactivated": "switched off",
    "restored": "brought back",
    "run_by_hand": "ran by hand",
    "signed_out": "signed out of",
    "sign_in_failed": "failed to sign in:",
    "used": "used",
}
_WHY: Final[Mapping[str, str]] = {
    "no_such_user": "there is no such user",
    "wrong_password": "wrong password",
    "no_password": "the user has no password",
    "disabled": "the user is disabled",
    "bad_link": "the link was used, or has expired",
    "not_by_issuer": "the organization did not vouch for them",
    "too_many": "too many attempts",
}
_OF_SESSIONS: Final[Mapping[str, str]] = {
    "created": "signed in",
    "signed_in": "signed in",
    "signed_out": "signed out",
}
_FIELDS: Final[Mapping[str, str]] = {
    "owners": "whose workflows may use it",
    "workflows": "which workflows may use it",
    "hosts": "where it may be sent",
    "permissions": "may do",
    "agent": "browser",
    "how": "signed in",
}
_OURS: Final = "headrace_"
_OF_NO_USE: Final = frozenset({"id", "user_id", "updated_by", "digest"})
_WITHHELD: Final = {"secret": "to another value, which is secret", "large": "to another value, which is too large"}


def actor(entry: AuditEntry, names: Mapping[str, str]) -> str:
    """Say who did it."""
    if entry.actor is not None and str(entry.actor) in names:
        return names[str(entry.actor)]
    if entry.actor_kind == "api_key":
        return f"API key {entry.actor_name or entry.actor}"
    if entry.actor_kind == "database_role":
        role = entry.actor_name or ""
        return "Headrace itself" if role.startswith(_OURS) else f"Database role {role}"
    if entry.actor is None:
        return "Somebody"
    return f"{'An administrator' if entry.actor_kind == 'admin' else 'A user'} with a token ({str(entry.actor)[:8]}…)"


def done(entry: AuditEntry, names: Mapping[str, str]) -> str:
    """Say what was done, to which thing."""
    kind = KINDS.get(entry.kind, entry.kind.replace("_", " "))
    verb = _DONE.get(entry.action, entry.action.replace("_", " "))
    if entry.kind == "session":
        return _OF_SESSIONS.get(entry.action, f"{verb} a session")
    if entry.kind == "permissions":
        return f"noted what {names.get(entry.object_id, 'a user with a token')} may"
    if entry.kind == "sign_in":
        return f"{verb} {_WHY.get(str(_new(entry, 'why')), 'refused')}"
    called = f" “{entry.name}”" if entry.name else ""
    return f"{verb} the {kind}{called}"


def named(entry: AuditEntry, field: str) -> set[str]:
    """Return the ids that a field has or had, to be said by names."""
    change = entry.changes.get(field)
    both = (change.old, change.new) if change is not None else ()
    return {one for ids in both if isinstance(ids, list) for one in ids if isinstance(one, str)}


def differences(entry: AuditEntry, names: Mapping[str, str]) -> list[str]:
    """Say what is different, a phrase a field; of what is new its name says enough.

    Args:
        entry: The line.
        names: What people and workflows are called, by their ids.
    """
    if entry.action == "created" and entry.kind != "permissions":
        return []
    if entry.kind == "sign_in":
        return [f"{_new(entry, 'attempts')} times, from {_new(entry, 'address')}"]
    kept = [(field, change) for field, change in sorted(entry.changes.items()) if field not in _OF_NO_USE]
    return [_difference(field, change, names) for field, change in kept]


def _difference(field: str, change: AuditChange, names: Mapping[str, str]) -> str:
    name = _FIELDS.get(field, field.replace("_", " "))
    words = {**names, **_words_of(field)}
    if change.withheld:
        return f"{name} {_WITHHELD[change.withheld]}"
    if change.old is None:
        return f"{name}: {_value(change.new, words)}"
    if change.new is None:
        return f"{name} {_value(change.old, words)} taken away"
    return f"{name} from {_value(change.old, words)} to {_value(change.new, words)}"


def _words_of(field: str) -> Mapping[str, str]:
    """Return what the values of a field are called that has words of its own."""
    if field == "how":
        return {str(name): said for name, said in HOW.items()}
    if field == "hosts":
        return {ALL: "anywhere"}
    said = ROLES if field == "role" else PERMISSIONS if field == "permissions" else {}
    return {ALL: "all" if field == "workflows" else "everybody", **{name: one.title for name, one in said.items()}}


def _value(value: Any, words: Mapping[str, str]) -> str:
    if value in ([], ""):
        return "nothing"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        text = ", ".join(words.get(one, one) for one in value)
    elif isinstance(value, str) and value in words:
        text = words[value]
    else:
        text = f"“{value}”" if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[: MAX_VALUE_CHARS - 1]}…"


def _new(entry: AuditEntry, field: str) -> Any:
    change = entry.changes.get(field)
    return change.new if change is not None else "?"
