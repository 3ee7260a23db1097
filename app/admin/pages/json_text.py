"""JSON as a person reads it, no longer than a page may get: a record may hold a megabyte."""

from typing import Any, Final, NamedTuple

import orjson

MOST_CHARACTERS: Final = 20_000


class JsonText(NamedTuple):
    """A value as text.

    Attributes:
        text: As much of it as is shown.
        characters: How many there are in all.
    """

    text: str
    characters: int

    @property
    def is_cut(self) -> bool:
        """Whether there is more than is shown."""
        return self.characters > len(self.text)


def json_text(value: Any) -> JsonText:
    """Write a value with two spaces a level; what JSON does not know is written as its model says it, or as text."""
    whole = orjson.dumps(value, option=orjson.OPT_INDENT_2, default=_plain).decode()
    return JsonText(whole[:MOST_CHARACTERS], len(whole))


def set_out(text: str) -> str:
    """Return a text of JSON with a line for each member, and any other as it is."""
    try:
        return orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return text


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else str(value)
