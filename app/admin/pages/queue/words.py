"""What the queue's names mean, to an operator who is woken at night."""

from collections.abc import Mapping
from typing import Final

_ROLES: Final[Mapping[str, tuple[str, str]]] = {
    "matcher": ("Matching", "Finds the workflows that an event starts"),
    "executor-notification": ("Messages", "Sends e-mail, SMS, WhatsApp and notifications"),
    "executor-crm": ("Customers", "Tags, notes and fields of customers"),
    "executor-workflow": ("Work", "Tasks, appointments, conversations; and what waits for an owner's quota"),
    "executor-system": ("Systems", "Calls other systems; waits and stops"),
    "sink": ("Log", "Writes what ran, and the dead letters"),
    "sources": ("Sources", "Turns records of other systems into events"),
    "scheduler": ("Schedule", "Sends what is due"),
}
_UNREADABLE: Final = "Its value cannot be read, or cannot be stored as it is. Whoever sends it has to send it right."
_NOT_OF_ITS_KIND: Final = "It can be read, but is not what its topic holds. The detail names the field."
# What it is, and what to do about it.
_REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "absurd_timestamp": (
        "Its time is absurd",
        "Kafka's timestamp lies before 2000, or more than a day ahead: the sender's clock or unit is wrong.",
    ),
    "crashes": (
        "Processes died of it",
        "Again and again, so it was set apart. Replay it once a version runs that bears it.",
    ),
    "handler_failed": ("A service's handler failed", "Mend the service that listens, then replay it."),
    "integer_over_64_bits": ("It holds a number that is too large", _UNREADABLE),
    "internal_error": (
        "Our own code failed on it",
        "The detail names the kind of error, the role's log has all of it. Replay it once that is mended.",
    ),
    "invalid_command": ("It is no valid step", _NOT_OF_ITS_KIND),
    "invalid_event": ("It is no valid event", _NOT_OF_ITS_KIND),
    "invalid_execution": ("It is no execution", _NOT_OF_ITS_KIND),
    "invalid_held_runs": ("What was held back cannot be read", _NOT_OF_ITS_KIND),
    "invalid_key": ("Its key is not valid", _NOT_OF_ITS_KIND),
    "not_json": ("It is no JSON", _UNREADABLE),
    "nul_character": ("It holds a NUL character", _UNREADABLE),
    "refused": ("The database refused its row", "The detail says why. Mend that, then replay it."),
    "repeated_key": ("It holds a key twice", "Which of both counts nobody can know. Whoever sends it has to send one."),
    "reserved": (
        "It claims to be Headrace's own",
        "Such events only Headrace itself may send; a replay is refused the same way.",
    ),
    "source_mismatch": ("Its source is not the one of its topic", _NOT_OF_ITS_KIND),
    "tombstone": ("It has no value", _UNREADABLE),
    "too_deep": ("It nests too deep", _UNREADABLE),
    "too_large": ("It is too large", _UNREADABLE),
    "unsendable": (
        "Kafka refused what follows from it",
        "The detail says which topic and why. Mend that, then replay it.",
    ),
    "wrong_topic": (
        "It is on the wrong topic",
        "Its sender has to send it to the topic that the detail names; a replay is refused the same way.",
    ),
}
_SET_ASIDE: Final[Mapping[str, str]] = {
    "no_topic": "The topic is not there, or may not be written to. Create it: they are sent then, in their order.",
    "too_large": "They are larger than the topic takes. Raise its max.message.bytes; it is tried again every minute.",
    "refused": "Kafka refuses them, with the error beside. It is tried again every minute.",
}
_STATES: Final[Mapping[str, str]] = {"open": "Open", "replayed": "Replayed", "discarded": "Discarded"}


def role_words(role: str) -> tuple[str, str]:
    """Return a role's name, and what it does."""
    return _ROLES.get(role, (role, ""))


def reason_words(reason: str) -> tuple[str, str]:
    """Return what is wrong with a dead letter, and what to do about it."""
    return _REASONS.get(reason, (reason.replace("_", " ").capitalize(), "The detail says more."))


def set_aside_words(reason: str) -> str:
    """Return why Kafka does not take some records, and what to do about it."""
    return _SET_ASIDE.get(reason, reason.replace("_", " ").capitalize())


def states() -> Mapping[str, str]:
    """Return the states of dead letters, in words."""
    return _STATES


def reasons() -> list[tuple[str, str]]:
    """Return every reason, in words."""
    return [(name, words[0]) for name, words in _REASONS.items()]
