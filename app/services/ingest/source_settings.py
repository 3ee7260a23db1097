"""Reads the setting ``HEADRACE_SOURCES``: a JSON list of sources, or the path of a file that holds one."""

from collections import Counter
from pathlib import Path
from typing import Final

import orjson
from pydantic import TypeAdapter, ValidationError

from app.domain.errors import FieldError, SettingsError
from schemas.field_errors import field_errors
from schemas.source import Source

VARIABLE: Final = "HEADRACE_SOURCES"
_MODEL: Final = list[Source]
_SOURCES: Final = TypeAdapter(_MODEL)


def load_sources(setting: str, topic_prefix: str) -> list[Source]:
    """Read the sources.

    Args:
        setting: JSON where it begins with ``[``, else the path of a file.
        topic_prefix: The prefix of our own topics, which cannot be sources: what is read there is written there.

    Raises:
        SettingsError: No source is given, or something in one is wrong; names the variable and the field.
    """
    text = setting.strip()
    if not text:
        raise SettingsError(f"{VARIABLE} is not set: a JSON list of sources, or the path of a file that holds one")
    try:
        raw = orjson.loads(text if text.startswith("[") else Path(text).read_bytes())
        sources = _SOURCES.validate_python(raw)
    except OSError as error:
        raise SettingsError(f"{VARIABLE}: the file cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise SettingsError(f"{VARIABLE} is no JSON: {error}") from None
    except ValidationError as error:
        raise _wrong(field_errors(error, _MODEL)) from None
    problems = _problems(sources, topic_prefix)
    if problems:
        raise _wrong(problems)
    return sources


def _problems(sources: list[Source], topic_prefix: str) -> list[FieldError]:
    names = Counter(source.name for source in sources)
    problems = [FieldError("", "there is no source in it")] if not sources else []
    for position, source in enumerate(sources):
        if names[source.name] > 1:
            problems.append(FieldError(f"[{position}].name", f"two sources are named {source.name}"))
        if source.topic.startswith(topic_prefix):
            problems.append(FieldError(f"[{position}].topic", "is one of Headrace's own"))
    return problems


def _wrong(errors: list[FieldError]) -> SettingsError:
    said = (f"{error.path.removesuffix('.constant')}: {error.message}".removeprefix(": ") for error in errors)
    return SettingsError(f"{VARIABLE}: {'; '.join(said)}")
