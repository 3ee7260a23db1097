"""Keys given twice and integers over 64 bits are named by where they stand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.json_places import long_integers, repeated_keys

BIG = "18446744073709551616"
KEYS = st.sampled_from("abc")
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
    assert repeated_keys(json.dumps(value).encode()) == []


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
