"""What of an event is Headrace's own: sources under ``/headrace/``, types ``temporal.*``, the attribute ``workflowid``.

An event acts on all users' workflows, and what makes it one event, source and id, is what the next one is told from. A
sender who may write ``/headrace/scheduler`` runs scheduled workflows when it likes, and makes the real run look like a
repetition; one who may write ``temporal.daily`` runs every daily workflow before it is due; one who may write
``workflowid`` picks whose workflow runs. So these are taken from the internal topic alone,
which only Headrace's own roles write (docs/kafka.md), and are refused wherever else an event comes in.

Reserved is every spelling that a person, a URI library or a proxy could take for ``/headrace`` or something under it:

* in any case, and in letters that Unicode has as forms of the same (full width, ligatures);
* percent-encoded, also several times over;
* with any number of slashes in front, none among them, or of backslashes: ``//headrace``, ``headrace/crm``;
* by way of ``.`` and ``..``: ``/./headrace``, ``/shop/../headrace``;
* with white space, control or invisible characters, or accents, anywhere in it;
* with a query, a fragment or parameters: ``/headrace?x``, ``/headrace#x``, ``/headrace;x``.

Free are other words (``/headraces``, ``/headrace-shop``), the word further down (``/shop/headrace``), and other hosts
(``https://shop.example/headrace``). Letters of other alphabets that only look alike are free too: no program takes them
for ours, and rows and letters show them to people beside what they did.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

from app.domain.errors import FieldError, PoisonError
from app.domain.visible import is_seen
from schemas.event import Event
from schemas.event_types import is_own_type

RESERVED: Final = "headrace"
_MOST_DECODINGS: Final = 4
_BETWEEN_SEGMENTS: Final = re.compile(r"[/\\?#;]+")
_SOURCE: Final = "sources that begin with /headrace/ are Headrace's own; name the system that sends it"
_TYPE: Final = "temporal events are Headrace's own: its scheduler makes them when a workflow is due; use another name"
_WORKFLOW: Final = "is Headrace's own; a workflow is run by POST /api/v1/workflows/{id}/execute"


def is_reserved(source: str) -> bool:
    """Tell whether a CloudEvents ``source`` is, or could be taken for, one of Headrace's own."""
    # Each event of a topic of others is asked for, so plain sources that do not hold the word cost no more than a look.
    visible = source.isascii() and source.isprintable() and " " not in source
    if visible and "%" not in source and RESERVED not in source.lower():
        return False
    return _leads_to_ours(source)


# For sources that have to be looked at closely: those of an installation are few.
@lru_cache(maxsize=1024)
def _leads_to_ours(source: str) -> bool:
    decoded = source
    for _ in range(_MOST_DECODINGS):
        before, decoded = decoded, unquote(decoded)
        if decoded == before:
            break
    else:
        return True  # there is no reason to encode that deep but to hide something
    path: list[str] = []
    for segment in _BETWEEN_SEGMENTS.split(_plain(decoded)):
        if segment == "..":
            del path[-1:]
        elif segment not in {"", "."}:
            path.append(segment)
    return path[:1] == [RESERVED]


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in folded if _is_seen(character))


def _is_seen(character: str) -> bool:
    return character.isprintable() and is_seen(character)


def check_type(event_type: str) -> str:
    """Return the type of events that another system is to send.

    Raises:
        ValueError: It is Headrace's own.
    """
    if is_own_type(event_type):
        raise ValueError(_TYPE)
    return event_type


def reserved_in(event: Event) -> Sequence[FieldError]:
    """Return what of an event is Headrace's own; empty for an event of another system."""
    return reserved_attributes({"source": event.source, "type": event.type, "workflowid": event.workflowid})


def reserved_attributes(said: Mapping[str, Any]) -> Sequence[FieldError]:
    """Return what is Headrace's own of those attributes of an event that there are, and hold."""
    ours = (
        ("source", _SOURCE, is_reserved(said.get("source", ""))),
        ("type", _TYPE, is_own_type(said.get("type", ""))),
        ("workflowid", _WORKFLOW, said.get("workflowid") is not None),
    )
    return [FieldError(name, why) for name, why, reserved in ours if reserved]


def check_from_outside(event: Event) -> None:
    """Check an event of a topic that others write.

    Raises:
        PoisonError: ``reserved``, naming each attribute that is Headrace's own.
    """
    # Each event of a topic of others is asked for: what each attribute is called is for those that are refused.
    if event.workflowid is None and not is_own_type(event.type) and not is_reserved(event.source):
        return
    found = reserved_in(event)
    if found:
        raise PoisonError("reserved", "; ".join(f"{error.path}: {error.message}" for error in found))
