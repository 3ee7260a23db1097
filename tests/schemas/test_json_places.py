"""Keys given twice and integers over 64 bits are named by where they stand."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.json_places import long_integers, may_repeat_keys, repeated_keys

BIG = "18446744073709551616"
KEYS = st.sampled_from("abc")
TEXTS = st.text('ab:"\\\\\u00e9', max_size=3)
VALUES = st.recursive(st.integers(-5, 5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner))


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        ('{"name":"w1","priority":1,"name":"w2"}', ["name"]),
        ('{"name":1,"n\\u0061me":2,"name":3}', ["name"]),
        ('{"actions":[{},{"config":{"tag":1,"tag":1}}],"a":1,"a":2}', ["a", "actions[1].config.tag"]),
        ('[{"a":{"b":1}},{"a":{"b":1}}]', []),
        ('{"a":"{\\"b\\":1,\\"b\\":2}"}', []),
        ('{"a":{"x":1},"a":{"b":1,"b":2}}', ["a", "a.b"]),
        ("7", []),
    ],
)
def test_a_key_that_stands_twice_in_one_object_is_named_once(document: str, paths: list[str]) -> None:
    """However it is escaped, and wherever the object stands; the same key in two objects is none."""
    assert [one.path for one in repeated_keys(document.encode())] == paths


@given(VALUES)
def test_what_has_each_key_once_passes(value: object) -> None:
    """Whatever else it holds."""
    for raw in (json.dumps(value).encode(), orjson.dumps(value)):
        assert repeated_keys(raw) == []
        assert not may_repeat_keys(raw, orjson.dumps(value))


@given(
    pairs=st.lists(st.tuples(TEXTS, TEXTS | st.integers(-5, 5)), max_size=4),
    ascii_only=st.booleans(),
    compact=st.booleans(),
)
def test_the_quick_look_misses_no_key_that_stands_twice(
    pairs: list[tuple[str, str | int]], *, ascii_only: bool, compact: bool
) -> None:
    """However it is written; what it is not sure of is looked at exactly."""
    colon = ":" if compact else ": "
    members = (f"{json.dumps(name, ensure_ascii=ascii_only)}{colon}{json.dumps(value)}" for name, value in pairs)
    raw = f"{{{','.join(members)}}}".encode()
    assert may_repeat_keys(raw, orjson.dumps(orjson.loads(raw))) == bool(repeated_keys(raw))


def test_what_is_too_large_to_tell_the_place_of_names_the_key() -> None:
    """A path would be worked out for seconds, in which nobody else is answered."""
    raw = b'[{"a":1,"a":2},"' + b"x" * 1024 * 1024 + b'"]'
    assert [(one.path, one.message) for one in repeated_keys(raw)] == [("", "a is given more than once in its object")]


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        (f'{{"data":{{"id":{BIG}}}}}', ["data.id"]),
        (f'[{{"a":1}},{{"a":[2,{BIG}],"b":-{BIG}}}]', ["[1].a[1]", "[1].b"]),
        (BIG, [""]),
        (f"[{'1' * 5000}]", ["[0]"]),
        (f'{{"a":"{BIG}","b":{BIG}.5}}', []),
        ("[" * 5000 + BIG + "]" * 5000, [""]),
        (f'{{"a":[{BIG}{", 1" * 400_000}]}}', [""]),
    ],
    ids=["in data", "in arrays", "alone", "5000 digits", "none", "too deep to tell", "too large to tell"],
)
def test_an_integer_over_64_bits_is_named_by_its_path(document: str, paths: list[str]) -> None:
    """Each of them; where reading again costs too much it is refused all the same."""
    assert [one.path for one in long_integers(document.encode())] == paths
