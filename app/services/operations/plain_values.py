"""Values as JSON that people can read: dataclasses become objects, bytes become text."""

from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python


def plain(value: Any) -> Any:
    """Return a value in JSON's own types; bytes as UTF-8, or where some are not, all of them in base64."""
    try:
        return to_jsonable_python(value, bytes_mode="utf8", fallback=repr)
    except (PydanticSerializationError, UnicodeDecodeError):
        return to_jsonable_python(value, bytes_mode="base64", fallback=repr)
