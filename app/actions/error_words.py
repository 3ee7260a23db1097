"""Why a step failed, in the words of its form: ``to[0]: line 1: customer.email is undefined`` says what is missing.

Errors are kept as programmers read them: with the field's path, and steps counted from 0. Pages say them in these
words, the editor's scripts in the same (``error-words.js``); a test holds the two together.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from app.actions.registry import REGISTRY
from app.actions.step_words import field_title, type_title
from app.domain.condition_words import spoken

# What a customer may lack who is written to, as a person says it.
LACKING: Final[Mapping[str, str]] = {
    "customer.email": "the customer has no e-mail address",
    "customer.phone": "the customer has no phone number",
}
NOBODY: Final = "there is nobody to send it to"
_NO_RECIPIENT: Final = "no recipient"
_STEP: Final = re.compile(
    r"\bstep ([0-9]{1,4}) \(([a-z_]+)\)( failed| was skipped)?: (.*?)(?=; (?:step [0-9]|stop_workflow )|\.?\Z)",
    re.DOTALL,
)
_FIELD: Final = re.compile(r"([a-z_]+)((?:\[[0-9]+\]|\.[^\s:[]+)*): (?:line ([0-9]+): )?(.*)", re.DOTALL)
_UNDEFINED: Final = re.compile(r"([\w.]+) is undefined")
_PREDICATE: Final = re.compile(r"(is|has|holds|must|cannot|can't|renders|takes|nests) ")
_PLACE: Final = re.compile(r"(?:workflow\.)?(actions|conditions)\[([0-9]+)\]\.?(.*)", re.DOTALL)
_INDEX: Final = re.compile(r"\[[0-9]+\]")


def titles() -> dict[str, dict[str, str]]:
    """Return what each type's fields are called, for the scripts."""
    return {one.name: {name: field_title(one.name, name) for name in one.config.model_fields} for one in REGISTRY}


def error_in_words(action_type: str, error: str) -> str:
    """Say the error of a step: what is missing, or which of its fields is wrong, by its title."""
    said = _said(action_type, error)
    return said[:1].upper() + said[1:]


def steps_in_words(text: str) -> str:
    """Say a sentence about steps: ``step 0 (send_email): …`` is step 1, which sends an e-mail."""
    return _STEP.sub(
        lambda found: f"step {int(found[1]) + 1} ({type_title(found[2])}){found[3] or ''}: {_said(found[2], found[4])}",
        text,
    )


def place_in_words(path: str) -> str:
    """Say where a path leads: ``actions[1].config.to[0]`` is ``Step 2, to``."""
    found = _PLACE.fullmatch(path)
    if found is None:
        return spoken(_INDEX.sub("", path))
    place = f"{'Step' if found[1] == 'actions' else 'Condition'} {int(found[2]) + 1}"
    rest = spoken(_INDEX.sub("", found[3].removeprefix("config").removeprefix(".")))
    return f"{place}, {rest}" if rest else place


def _said(action_type: str, error: str) -> str:
    found = _FIELD.fullmatch(error)
    if found is None or field_title(action_type, found[1]) == found[1]:
        return error
    why: Any = found[4]
    where = field_title(action_type, found[1]) + _below(found[2])
    if (missing := _UNDEFINED.fullmatch(why)) is not None:
        return LACKING.get(missing[1]) or f"{where}: there is no {spoken(missing[1])}"
    if why == _NO_RECIPIENT:
        return NOBODY
    if found[3] and found[3] != "1":
        where += f", line {found[3]}"
    return f"{where} {why}" if _PREDICATE.match(why) else f"{where}: {why}"


def _below(rest: str) -> str:
    """Say which of several a path goes on to; of a list, none: there is hardly more than one."""
    named = _INDEX.sub("", rest).removeprefix(".")
    return f", {named}" if named else ""
