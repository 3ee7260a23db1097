"""What can be told about a record before it is sent: that no broker, or no encoding, would take it."""

import re
from functools import lru_cache
from types import NoneType
from typing import Final

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from app.ports import Record, Refusal
from app.topics import MAX_RECORD_BYTES

_TOPIC: Final = re.compile(r"(?!\.{1,2}\Z)[a-zA-Z0-9._-]{1,249}\Z")
_BYTES_OR_NONE: Final = (bytes, NoneType)
# More than a header's lengths, than a character of its name in UTF-8, and than all else of a record and its batch take.
_FRAME_BYTES: Final = 10
_CHARACTER_BYTES: Final = 4
_OVERHEAD_BYTES: Final = 128


def flaw(record: Record) -> Refusal | None:
    """Return why a record can never be sent; None where the broker has to be asked."""
    key, value = record.key, record.value
    if not _is_name(record.topic):
        return Refusal("refused", f"{record.topic[:100]!r} is no name of a topic")
    if key is None and value is None:
        return Refusal("refused", "a record has a key or a value")
    if not isinstance(key, _BYTES_OR_NONE) or not isinstance(value, _BYTES_OR_NONE):
        return Refusal("refused", "key and value are bytes or None")
    wrong = _wrong_header(record) if record.headers else None
    if wrong is not None:
        return Refusal("refused", wrong)
    if _is_surely_small(record):
        return None
    size = DefaultRecordBatchBuilder.estimate_size_in_bytes(key, value, list(record.headers))
    return too_large(size) if size > MAX_RECORD_BYTES else None


@lru_cache(maxsize=1024)
def _is_name(topic: str) -> bool:
    return _TOPIC.match(topic) is not None


def _is_surely_small(record: Record) -> bool:
    """Whether a record fits by far: most do, and how large they are exactly takes longer to say."""
    size = len(record.key or b"") + len(record.value or b"") + len(record.headers) * _FRAME_BYTES
    for name, content in record.headers:
        size += _CHARACTER_BYTES * len(name) + len(content)
    return size < MAX_RECORD_BYTES - _OVERHEAD_BYTES


def too_large(size: int) -> Refusal:
    """Return the refusal of a record of so many bytes."""
    return Refusal("too_large", f"{size} bytes, headers included; a record may have at most {MAX_RECORD_BYTES} bytes")


def _wrong_header(record: Record) -> str | None:
    for name, content in record.headers:
        if not isinstance(name, str) or not isinstance(content, bytes):
            return "a header is a str and bytes"
        if not name.isascii() and not _has_utf8(name):
            return "the name of a header is no UTF-8"
    return None


def _has_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
