"""Sources: how records of a topic that somebody else writes become events, as it stands in ``HEADRACE_SOURCES``."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.domain.paths import parse_path
from schemas.event import EventType

MAX_SHAPE_DEPTH: Final = 16


def _path(value: str) -> str:
    parse_path(value)
    return value


PathText = Annotated[str, AfterValidator(_path)]


class _Part(BaseModel):
    """A part of a source; an unknown key is a mistake somebody wants to hear of."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TypeRule(_Part):
    """Which type an event has: always the same, or by a value of the record; a value mapped to null is passed over."""

    constant: EventType | None = None
    path: PathText | None = None
    map: Annotated[dict[str, EventType | None], Field(min_length=1)] | None = None

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
        data: A path to an object, or an object whose leaves are paths; without: the whole record, or the ``row``.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    format: Literal["json", "debezium"] = "json"
    type: Annotated[TypeRule, _as_rule("constant")]
    id: PathText | None = None
    entity: PathText
    time: Annotated[TimeRule, _as_rule("path")] | None = None
    data: Annotated[Any, BeforeValidator(lambda value: None if value is None else _shape(value))] = None
