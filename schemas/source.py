"""Sources: how records of another system's topic become events, as it stands in ``HEADRACE_SOURCES``."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.domain.connect_decoding import decoder_of_types
from app.domain.paths import parse_path
from schemas.event import EventType
from schemas.reserved import check_type

MAX_SHAPE_DEPTH: Final = 16
MAX_TYPES: Final = 1_000
_ROWS: Final = ("before", "after")
# MongoDB's connector writes a whole side as a text.
_WHOLE: Final = "json"
_TYPED: Final = (*_ROWS, "row", "source")


def _path(value: str) -> str:
    parse_path(value)
    return value


OutsideType = Annotated[EventType, AfterValidator(check_type)]
PathText = Annotated[str, AfterValidator(_path)]


class _Part(BaseModel):
    """A part of a source; an unknown key is a mistake, which its author wants to hear of."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TypeRule(_Part):
    """Which type an event has: always the same, or by a value of the record; a value mapped to null is passed over."""

    constant: OutsideType | None = None
    path: PathText | None = None
    map: Annotated[dict[str, OutsideType | None], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        mapped = self.path is not None and self.map is not None
        if mapped == (self.constant is not None) or (self.path is None) != (self.map is None):
            raise ValueError("must be an event type, or a path and a map of its values to event types")
        return self


class TimeRule(_Part):
    """Where an event's time is: an ISO 8601 text, or a number of units since 1970 UTC."""

    path: PathText
    unit: Literal["s", "ms", "us", "ns"] = "ms"


def _shape(value: Any, depth: int = 1) -> Any:
    if isinstance(value, str):
        return _path(value)
    if not isinstance(value, dict) or not value:
        raise ValueError("must be a path, or an object of such")
    if depth > MAX_SHAPE_DEPTH:
        raise ValueError(f"must have at most {MAX_SHAPE_DEPTH} levels")
    for name, inner in value.items():
        try:
            _shape(inner, depth + 1)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return value


def _as_rule(name: str) -> BeforeValidator:
    return BeforeValidator(lambda value: {name: value} if isinstance(value, str) else value)


def typed_paths(types: Mapping[str, str], source_format: str) -> Mapping[str, str]:
    """Return which value of a record has which type; what is said of Debezium's ``row`` is of both sides of a change.

    Raises:
        ValueError: A path leads to nothing that an envelope holds.
    """
    if source_format != "debezium":
        return types
    found: dict[str, str] = {}
    for path, type_name in types.items():
        root, dot, rest = path.partition(".")
        if root not in _TYPED or not (dot or type_name == _WHOLE):
            raise ValueError(f"{path}: must name a field in {', '.join(_TYPED[:-1])} or {_TYPED[-1]}")
        for side in _ROWS if root == "row" else (root,):
            if found.setdefault(f"{side}{dot}{rest}", type_name) != type_name:
                raise ValueError(f"{path}: has another type already")
    return found


class Source(_Part):
    """One topic, and what its records become.

    Paths lead into the record's JSON. With the format ``debezium`` they lead into the change's envelope: ``op``,
    ``before``, ``after``, ``source``, ``ts_ms``, and ``row``, which is ``after``, or ``before`` of a deleted row.

    Attributes:
        name: The events' CloudEvents source is ``/sources/<name>``.
        topic: Where the records are.
        type: An event type, or ``{path, map}``.
        id: What makes the event one; without: topic, partition and offset.
        entity: Whom the event is about; events of one entity stay in order.
        time: When it happened; without, or where the record has none: Kafka's timestamp.
        types: What values are, by path, in records that come without their schema.
        data: A path to an object, or an object whose leaves are paths; without: the whole record, or the ``row``.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    format: Literal["json", "debezium"] = "json"
    types: Annotated[dict[str, str], Field(max_length=MAX_TYPES)] = Field(default_factory=dict)
    type: Annotated[TypeRule, _as_rule("constant")]
    id: PathText | None = None
    entity: PathText
    time: Annotated[TimeRule, _as_rule("path")] | None = None
    data: Annotated[Any, BeforeValidator(lambda value: None if value is None else _shape(value))] = None

    @field_validator("types")
    @classmethod
    def _types_are_known(cls, types: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        decoder_of_types(typed_paths(types, info.data.get("format", "json")))
        return types
