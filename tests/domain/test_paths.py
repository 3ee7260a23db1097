"""Dotted paths into JSON."""

from typing import Any

import pytest

from app.domain.paths import MISSING, parse_path

ORDER = {"order": {"items": [{"price": 5}, {"price": None}], "1": "a key"}, "list": [[1, 2]]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("order.items.0.price", 5),
        ("order.items.1.price", None),
        ("order.1", "a key"),
        ("list.0.1", 2),
        ("order.items.2", MISSING),
        ("order.items.-1", MISSING),
        ("order.items.00", MISSING),
        ("order.items.+0", MISSING),
        ("order.items.\u0660", MISSING),
        ("order.items.length", MISSING),
        ("order.items.0.price.x", MISSING),
        ("order.items.1.price.x", MISSING),
        ("nowhere.at.all", MISSING),
        ("order.items.99999999999999999999", MISSING),
    ],
)
def test_a_path_leads_to_a_value_or_to_missing(text: str, found: Any) -> None:
    """Segments are keys of objects and plain indexes of arrays; all else is missing, never an error."""
    assert parse_path(text).resolve(ORDER) is found or parse_path(text).resolve(ORDER) == found


def test_null_is_not_missing() -> None:
    """A key that holds null is there."""
    assert parse_path("a").resolve({"a": None}) is None


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a" * 513, ".".join("a" * 33)])
def test_a_wrong_path_is_refused(text: str) -> None:
    """Empty segments and endless paths are refused with a reason."""
    with pytest.raises(ValueError, match="must"):
        parse_path(text)


@pytest.mark.parametrize("value", [None, 1, "text", True, [], {}])
def test_the_rest_of_a_single_segment_is_the_value_itself(value: Any) -> None:
    """``event`` alone is the whole envelope."""
    assert parse_path("event").rest.resolve(value) is value
