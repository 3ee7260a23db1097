"""How many examples a property has, and strategies that several properties share."""

from decimal import Decimal
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from app.domain.visible import is_visible
from tests.domain.strategies import json_values, leaves

PROPERTY: Final = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# What Postgres can store, without what templates would read as syntax.
WORDS: Final = st.text(st.characters(codec="utf-8", categories=("L", "N"), include_characters=" -'&<>"), max_size=20)
NAMES: Final = WORDS.map(str.strip).filter(is_visible)
TAGS: Final = st.from_regex(r"[a-z][a-z0-9-]{0,15}", fullmatch=True)
PRICES: Final = st.decimals(0, 10_000, places=2).map(str)


def storable(value: Any) -> bool:
    """Whether an event may hold a value: integers of 64 bits, text without NUL, no key that is a name of ours."""
    if isinstance(value, dict):
        return all(storable(key) and storable(member) for key, member in value.items())
    if isinstance(value, list):
        return all(map(storable, value))
    if isinstance(value, str):
        return "\x00" not in value and value.isprintable()
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def exact(value: Any) -> Any:
    """Return JSON with its numbers as they are written: Postgres keeps the decimal digits, Python floats do not."""
    if isinstance(value, dict):
        return {name: exact(member) for name, member in value.items()}
    if isinstance(value, list):
        return [exact(member) for member in value]
    return value if isinstance(value, bool) or not isinstance(value, int | float) else Decimal(repr(value))


VALUES: Final = json_values.filter(storable)
DATA: Final = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)
LEAVES: Final = leaves(dated=False).filter(storable)


def joined(conditions: list[dict[str, Any]], logic: str) -> list[dict[str, Any]]:
    """Return conditions that are all joined by one word."""
    return [{**condition, "logic": logic} for condition in conditions]
