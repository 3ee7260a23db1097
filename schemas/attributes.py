"""What CloudEvents 1.0.2 asks of attributes beyond their types: one rule for every way in, Kafka's and the API's.

* Names are lower-case letters and digits ("Naming conventions"). Other spellings are refused, not folded:
  ``workflowId`` beside ``workflowid``, or ``ID`` beside ``id``, would be two attributes to one reader and one to
  another, and each reader would decide for itself which of them counts.
* An extension holds no object or array ("Type system").
* ``datacontenttype`` declares JSON, in UTF-8, since ``data`` is an object; so does the content type of a record.
* ``source`` and ``dataschema`` are URI-references. Letters of other alphabets, spaces between words and a lone ``%``
  are taken as they are, though a URI has them encoded: producers send them, and they mean nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from app.domain.errors import FieldError
from app.domain.nearest import meant
from schemas.event import Event
from schemas.reserved import is_reserved

_NAME: Final = re.compile(r"[a-z0-9]+")
_NO_PART: Final = re.compile(r"[^a-z0-9]+")
_WORD: Final = r"[^\x00-\x20\x7f-\xa0\u2028\u2029\"<>\\^`{|}]++"
_REFERENCE: Final = re.compile(rf"{_WORD}(?: ++{_WORD})*+")
_JSON: Final = re.compile(r"[a-z0-9!#$&^_.+-]+/(?:[a-z0-9!#$&^_.-]+\+)?json")
_UTF_8: Final = frozenset({"utf-8", "utf8"})
_MOST_TYPE_CHARS: Final = 200
_RULE: Final = "attribute names are lower-case letters and digits"
_PLAIN: Final = "an attribute of one's own holds no object or array; the data goes into data"
NO_JSON: Final = "must declare JSON in UTF-8, such as application/json or application/vnd.shop+json; charset=utf-8"
_REFER: Final = "must be a URI-reference, such as /shop or https://shop.example/orders"
_HOLDS_OBJECTS: Final = ("data",)
_MOST: Final = 100
_MOST_CHARS: Final = 100


def fits(event: Event) -> bool:
    """Tell whether the attributes keep the rules: asked of every event, so in about a microsecond."""
    if not (declares_json(event.datacontenttype) and _is_reference("source", event.source)):
        return False
    extra = event.model_extra
    return not extra or all(
        _NAME.fullmatch(name) and not isinstance(value, dict | list) and (name != "dataschema" or _refers(value))
        for name, value in extra.items()
    )


def unfit(attributes: Mapping[str, Any]) -> list[FieldError]:
    """Return what is wrong with attributes by these rules, at most 100; of an event that fits nothing."""
    return list(islice(_wrong(attributes), _MOST))


def declares_json(content_type: str | None) -> bool:
    """Tell whether a content type is one of JSON in UTF-8; where there is none, it is taken for that."""
    return content_type is None or (len(content_type) <= _MOST_TYPE_CHARS and _declares_json(content_type))


@lru_cache(256)
def _declares_json(content_type: str) -> bool:
    kind, *parameters = content_type.lower().split(";")
    named = (parameter.partition("=") for parameter in parameters)
    charsets = [value.strip().strip('"') for name, _, value in named if name.strip() == "charset"]
    return _JSON.fullmatch(kind.strip()) is not None and _UTF_8.issuperset(charsets)


def _wrong(attributes: Mapping[str, Any]) -> Iterator[FieldError]:
    for name, value in attributes.items():
        if not _NAME.fullmatch(name):
            yield FieldError(name[:_MOST_CHARS], _why(name))
        elif name == "datacontenttype" and isinstance(value, str) and not declares_json(value):
            yield FieldError(name, NO_JSON)
        elif (name == "source" and isinstance(value, str) and value and not _is_reference(name, value)) or (
            name == "dataschema" and not _refers(value)
        ):
            yield FieldError(name, _REFER)
        elif isinstance(value, dict | list) and name not in Event.model_fields:
            yield FieldError(name[:_MOST_CHARS], f"{_PLAIN}{meant(name, _HOLDS_OBJECTS)}")


def _is_reference(name: str, value: str) -> bool:
    # What could be taken for a source of ours is refused for that, whatever else is wrong with it.
    return _REFERENCE.fullmatch(value) is not None or (name == "source" and is_reserved(value))


def _refers(value: object) -> bool:
    return value is None or (isinstance(value, str) and _REFERENCE.fullmatch(value) is not None)


def _why(name: str) -> str:
    meant = _NO_PART.sub("", name[:_MOST_CHARS].lower())
    if meant == "workflowid":
        return f"{_RULE}; workflowid is reserved, too: it is Headrace's own"
    return f"{_RULE}; is {meant} meant?" if meant in Event.model_fields else _RULE
