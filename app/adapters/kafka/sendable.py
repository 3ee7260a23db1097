"""What can be told about a record before it is sent: that no broker, or no encoding, would take it."""

import re
from typing import Final

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from app.ports import Record, Refusal
from app.topics import MAX_RECORD_BYTES

_TOPIC: Final = re.compile(r"(?!\.{1,2}\Z)[a-zA-Z0-9._-]{1,249}\Z")


def flaw(record: Record) -> Refusal | None:
    """Return why a record can never be sent; None where the broker has to be asked."""
    if _TOPIC.match(record.topic) is None:
        return Refusal("refused", f"{record.topic[:100]!r} is no name of a topic")
    if record.key is None and record.value is None:
        return Refusal("refused", "a record has a key or a value")
    if any(part is not None and not isinstance(part, bytes) for part in (record.key, record.value)):
        return Refusal("refused", "key and value are bytes or None")
    wrong = _wrong_header(record)
    if wrong is not None:
        return Refusal("refused", wrong)
    size = DefaultRecordBatchBuilder.estimate_size_in_bytes(record.key, record.value, list(record.headers))
    if size > MAX_RECORD_BYTES:
        return too_large(size)
    return None


def too_large(size: int) -> Refusal:
    """Return the refusal of a record of so many bytes."""
    return Refusal("too_large", f"{size} bytes, headers included; a record may have at most {MAX_RECORD_BYTES} bytes")


def _wrong_header(record: Record) -> str | None:
    for name, content in record.headers:
        if not isinstance(name, str) or not isinstance(content, bytes):
            return "a header is a str and bytes"
        try:
            name.encode("utf-8")
        except UnicodeEncodeError:
            return "the name of a header is no UTF-8"
    return None
