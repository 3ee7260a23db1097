"""What cannot be stored of a document, and where."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import PoisonError
from app.domain.storable import Place, unstorable
from schemas.field_errors import path_text
from schemas.incoming import load_object
from schemas.json_places import deep_place

LEVELS = 4
TEXTS = st.sampled_from(["", "a", "\x00", "b\x00c", "[", '"', "\\"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | st.integers(0, 9) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=20,
)
DOCUMENTS = st.dictionaries(TEXTS, VALUES, max_size=4)


def at(document: Any, place: Place) -> Any:
    """Return what stands at a place."""
    for part in place:
        document = document[part]
    return document


@given(DOCUMENTS)
def test_each_place_is_named_and_no_other(document: dict[str, Any]) -> None:
    """Of a document that nests no deeper than it may: as many as hold a NUL, and what stands there does."""
    found = list(unstorable(document, 100))
    for one in found:
        there = at(document, one.place)
        assert any("\x00" in text for text in ([there] if isinstance(there, str) else there))
    assert orjson.dumps(document).count(b"\\u0000") == len(found)


@given(DOCUMENTS)
def test_what_is_named_is_what_the_quick_look_refuses(document: dict[str, Any]) -> None:
    """The look that every record gets refuses no document in which no place is named, and no other."""
    named = [one.is_deep for one in unstorable(document, LEVELS)]
    if named:
        with pytest.raises(PoisonError) as caught:
            load_object(orjson.dumps(document), max_nesting=LEVELS)
        assert (caught.value.reason == "too_deep") is (True in named[:10])
        assert caught.value.detail
    else:
        assert load_object(orjson.dumps(document), max_nesting=LEVELS) == document


@given(DOCUMENTS)
def test_a_deep_place_is_found_in_bytes_too(document: dict[str, Any]) -> None:
    """By the way to the first container that is one too many, which our parser may never have come to."""
    found = deep_place(orjson.dumps(document), LEVELS)
    deep = [place for place in containers(document, ()) if len(place) >= LEVELS]
    assert (None if found is None else found.path) == (path_text(deep[0][:5]) if deep else None)


def containers(document: Any, place: Place) -> Iterator[Place]:
    """Yield where there is an object or an array, in the order they were written."""
    if isinstance(document, dict | list):
        yield place
        members = document.items() if isinstance(document, dict) else enumerate(document)
        for part, member in members:
            yield from containers(member, (*place, part))
