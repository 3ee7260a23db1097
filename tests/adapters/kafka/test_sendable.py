"""What can be told about a record before it is sent."""

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from app.adapters.kafka.sendable import flaw
from app.ports import Record
from app.topics import MAX_RECORD_BYTES


@pytest.mark.parametrize(
    "headers",
    [(), (("a", b"1"),), tuple((f"n{n}", b"") for n in range(3000)), (("\N{GRINNING FACE}" * 9000, b"v" * 70_000),)],
    ids=["none", "one", "many", "wide names"],
)
@pytest.mark.parametrize("over", [-300, -60, -1, 0, 1, 300])
def test_the_limit_is_exact(headers: tuple[tuple[str, bytes], ...], over: int) -> None:
    """What most records are spared decides nothing: at the limit it is what aiokafka would count."""
    count = DefaultRecordBatchBuilder.estimate_size_in_bytes
    room = MAX_RECORD_BYTES - count(b"key", b"", list(headers)) + over - 3  # a value of such a size has 4 bytes for it
    record = Record("t", b"key", b"v" * room, headers)
    size = count(record.key, record.value, list(headers))
    assert abs(size - MAX_RECORD_BYTES - over) <= 1
    assert (flaw(record) is not None) is (size > MAX_RECORD_BYTES)
