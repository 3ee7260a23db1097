"""Which partition a record goes to."""

from uuid import uuid4

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.partitioning import choose, hash_of


@given(st.binary(max_size=200), st.integers(1, 50))
def test_a_key_goes_where_every_other_client_sends_it(key: bytes, count: int) -> None:
    """First seen or remembered: as aiokafka chooses, whatever is available."""
    partitions = list(range(count))
    expected = DefaultPartitioner()(key, partitions, partitions[:1])
    assert [choose(key, partitions, partitions[:1]) for _ in range(2)] == [expected] * 2


@pytest.mark.parametrize(
    ("key", "java"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536), (b"abc", 479470107)],
)
def test_the_hash_is_kafkas(key: bytes, java: int) -> None:
    """Of Kafka's own test of Utils.murmur2 (UtilsTest.testMurmur2)."""
    assert hash_of(key) == java & 0x7FFFFFFF


def test_a_key_is_hashed_once() -> None:
    """The second record of an entity costs a look-up."""
    key = uuid4().bytes
    before = hash_of.cache_info()
    for _ in range(10):
        choose(key, range(7), range(7))
    after = hash_of.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 9)


def test_without_a_key_what_is_available_is_taken() -> None:
    """And where nothing is known to be, any."""
    assert {choose(None, range(4), [2]) for _ in range(20)} == {2}
    assert choose(None, [3], []) == 3
