"""Lets records through whose header names are not UTF-8, which Kafka takes from any producer.

aiokafka decodes header names while it unpacks a fetched batch. What cannot be decoded there ends the consumer, and
again after every restart: one such record would stall its partition for good. Here the batch is unpacked once more, in
Python, with an escape for each byte that is no text; the record then goes the way of all others.
"""

import struct
from collections import deque
from typing import Any, Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.record.memory_records import MemoryRecords

_LENGTH: Final = struct.Struct(">qi")
_MAGIC_AT: Final = 16
_WITH_HEADERS: Final = 2


def install() -> None:
    """Have every consumer of this process unpack what it fetches this way; a second call changes nothing."""
    fetcher.MemoryRecords = KeptRecords
    fetcher.PartitionRecords = TolerantRecords


class KeptRecords(MemoryRecords):
    """What was fetched of a partition, with its bytes at hand."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.raw = raw


class TolerantRecords(fetcher.PartitionRecords):
    """The records of a fetch; from the first odd header name on they are unpacked again."""

    _records: Any

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except UnicodeDecodeError:
            self._records = _Rest(self._records.raw, self.next_fetch_offset)
            self._records_iterator = self._unpack_records()
            return super().__next__()


class _Rest:
    """Batches from an offset on: aiokafka looks at none before it a second time, or its offset would go back."""

    def __init__(self, raw: bytes, offset: int) -> None:
        self._batches = deque(batch for batch in _batches(memoryview(raw)) if batch.next_offset > offset)

    def has_next(self) -> bool:
        return bool(self._batches)

    def next_batch(self) -> Any:
        return self._batches.popleft()


def _batches(raw: memoryview) -> list[Any]:
    found, position = [], 0
    while len(raw) - position >= _LENGTH.size:
        end = position + _LENGTH.size + _LENGTH.unpack_from(raw, position)[1]
        if end > len(raw):
            break  # the fetch was cut here; what is missing comes with the next one
        magic = raw[position + _MAGIC_AT]
        batch = raw[position:end]
        found.append(_Batch(batch) if magic >= _WITH_HEADERS else LegacyRecordBatch(batch, magic))
        position = end
    return found


class _Batch(_DefaultRecordBatchPy):
    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Text(self._buffer)


class _Text(bytearray):
    """Bytes that always decode."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return _Text(found) if isinstance(key, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002 - bytearray's signature
        return super().decode(encoding, "backslashreplace")
