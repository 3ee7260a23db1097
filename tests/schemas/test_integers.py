"""Integers over 64 bits are found in JSON wherever they stand, and nothing else is taken for one."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.integers import over_64_bits

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('0123456789-"\\.eé ', max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('0123456789"\\', max_size=25), inner),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize(
    "literal", ["18446744073709551616", "-9223372036854775809", "100000000000000000000", "1" * 5000, "-" + "9" * 20]
)
def test_an_integer_over_64_bits_is_found(literal: str) -> None:
    """In an object, in an array, at the end; the text begins with its digits and says what to do."""
    for document in (f'{{"a":{literal}}}', f'{{"a":[1,{literal} ,2]}}', literal):
        said = over_64_bits(document.encode())
        assert said is not None
        assert said.startswith(literal[:40])
        assert said.endswith("is an integer over 64 bits; write it as a string")


@pytest.mark.parametrize(
    "literal",
    [
        "18446744073709551615",
        "-9223372036854775808",
        '"18446744073709551616"',
        '"\\"18446744073709551616"',
        '"\\\\",18446744073709551615,"18446744073709551616"',
        "18446744073709551616.5",
        "1.18446744073709551616",
        "18446744073709551616e0",
        "1e-18446744073709551616",
    ],
)
def test_what_is_no_such_integer_passes(literal: str) -> None:
    """The bounds themselves, digits in strings, and floats, which are floats to everybody."""
    assert over_64_bits(f'{{"a":[{literal}]}}'.encode()) is None


@given(JSON)
def test_what_passes_is_read_exactly(document: Any) -> None:
    """Either every integer is read as it was written, or one is found."""
    value = json.dumps(document, ensure_ascii=False).encode()
    passes = over_64_bits(value) is None
    assert passes == _no_big(document)
    assert not passes or orjson.loads(value) == document


def _no_big(value: Any) -> bool:
    """Whether no integer is over 64 bits; a float may equal one."""
    if isinstance(value, dict):
        return all(map(_no_big, value.values()))
    if isinstance(value, list):
        return all(map(_no_big, value))
    return not isinstance(value, int) or -(2**63) <= value < 2**64
