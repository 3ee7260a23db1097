"""What the operators of conditions are called, to who writes a condition and to who reads one: the one list of both.

The editor's scripts are given it as it stands (``js/operators.js``), the pages' sentences are made from it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Kind = Literal["one", "list", "time", "now", "today", "none"]
FieldType = Literal["text", "number", "yes or no", "time", "list", ""]


@dataclass(frozen=True, slots=True)
class SpokenOperator:
    """An operator as a person chooses it; one of JSON may be several of them, by the value that it has.

    Attributes:
        id: Its name among them.
        words: How it is said, between the field and the value.
        operator: What it is in JSON.
        kind: How its value is entered: ``one`` value, a ``list``, a ``time``, a distance from ``now``, a day as seen
            from ``today``, or ``none``.
        fits: The types of fields that it is offered for.
        sign: Of a distance, on which side of now it lies.
    """

    id: str
    words: str
    operator: str
    kind: Kind
    fits: tuple[FieldType, ...]
    sign: str | None = None

    def in_json(self) -> dict[str, Any]:
        """Return it as the scripts have it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


_ANY: Final[tuple[FieldType, ...]] = ("text", "number", "yes or no", "time", "list", "")
_EQUAL: Final[tuple[FieldType, ...]] = ("text", "number", "yes or no", "")
_ORDERED: Final[tuple[FieldType, ...]] = ("number", "")
_TIMED: Final[tuple[FieldType, ...]] = ("time", "")
_TEXTUAL: Final[tuple[FieldType, ...]] = ("text", "")
_MANY: Final[tuple[FieldType, ...]] = ("text", "list", "")
_FEW: Final[tuple[FieldType, ...]] = ("text", "number", "list", "")

SPOKEN: Final = (
    SpokenOperator("is", "is", "==", "one", _EQUAL),
    SpokenOperator("not", "is not", "!=", "one", _EQUAL),
    SpokenOperator("more", "is more than", ">", "one", _ORDERED),
    SpokenOperator("least", "is at least", ">=", "one", _ORDERED),
    SpokenOperator("less", "is less than", "<", "one", _ORDERED),
    SpokenOperator("most", "is at most", "<=", "one", _ORDERED),
    SpokenOperator("has", "contains", "contains", "one", _MANY),
    SpokenOperator("lacks", "does not contain", "not_contains", "one", _MANY),
    SpokenOperator("in", "is one of", "in", "list", _FEW),
    SpokenOperator("out", "is none of", "not_in", "list", _FEW),
    SpokenOperator("starts", "starts with", "starts_with", "one", _TEXTUAL),
    SpokenOperator("ends", "ends with", "ends_with", "one", _TEXTUAL),
    SpokenOperator("before", "is before", "<", "time", _TIMED),
    SpokenOperator("after", "is after", ">", "time", _TIMED),
    SpokenOperator("until", "is at or before", "<=", "time", ()),
    SpokenOperator("from", "is at or after", ">=", "time", ()),
    SpokenOperator("within", "is within the last", ">=", "now", _TIMED, "-"),
    SpokenOperator("older", "is longer ago than", "<", "now", _TIMED, "-"),
    SpokenOperator("sooner", "is sooner than in", "<", "now", _TIMED, "+"),
    SpokenOperator("later", "is later than in", ">", "now", _TIMED, "+"),
    SpokenOperator("today", "is today", "==", "today", _TIMED, ""),
    SpokenOperator("ago", "was this many days ago:", "==", "today", _TIMED, "-"),
    SpokenOperator("ahead", "is in this many days:", "==", "today", _TIMED, "+"),
    SpokenOperator("empty", "is empty", "==", "none", _ANY),
    SpokenOperator("filled", "has a value", "!=", "none", _ANY),
)
UNITS: Final[Mapping[str, str]] = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}


def words_of(operator: str, kind: Kind, sign: str | None = None) -> str | None:
    """Return how an operator of JSON is said of a kind of value; None where it has no words for it."""
    if kind == "now" and (operator, sign) == (">", "-"):
        operator = ">="  # to the instant it is another, and nobody means that
    return next((one.words for one in SPOKEN if (one.operator, one.kind, one.sign) == (operator, kind, sign)), None)


def plain_words(operator: str) -> str:
    """Return how an operator of JSON is said where its value does not matter; itself where it is none."""
    return next((one.words for one in SPOKEN if one.operator == operator), operator)
