"""Hypothesis strategies for JSON and for conditions, shared by the tests of the domain."""

from typing import Any

from hypothesis import strategies as st

SEGMENTS = ("a", "b", "c", "0", "1")
OPERATORS = (
    ">",
    "<",
    ">=",
    "<=",
    "==",
    "!=",
    "contains",
    "not_contains",
    "in",
    "not_in",
    "starts_with",
    "ends_with",
)

times = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.datetimes().map(lambda moment: moment.isoformat(sep=" ", timespec="seconds")),
    st.dates().map(lambda date: date.isoformat()),
    st.sampled_from(["2026-01-01T00:00:00+00:00", "2026-01-01", "2026-01-01T02:00+02:00", "2026-02-30", "20260101"]),
)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=2).map(lambda number: format(number, "f"))
numbers = st.one_of(
    st.integers(-5, 5),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([2**53, 2**53 + 1, float(2**53), 10**400, -(10**30), 0.1, -0.0, 1e308]),
)
texts = st.one_of(st.sampled_from(["", "a", "ab", "1", "0.1", "199.00", "-5"]), st.text(max_size=5), times, decimals)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
json_values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(SEGMENTS) | st.text(max_size=2), inner, max_size=4)
    ),
    max_leaves=12,
)
ZONES = ("UTC", "America/Sao_Paulo", "Pacific/Kiritimati", "Asia/Kathmandu")
days = st.builds(
    lambda today, zone: {"today": today} | ({} if zone is None else {"timezone": zone}),
    st.just(True) | st.builds("{}{}".format, st.integers(-9, 9), st.sampled_from("dw")),
    st.sampled_from((*ZONES, None)),
)


def operand(value: Any) -> Any:
    """The value as a condition says it: an object, or an array that holds one, says that it is meant as it stands."""
    return {"json": value} if _holds_object(value) else value


def _holds_object(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_holds_object, value)))


operands = json_values.map(operand)
fields = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4).map(".".join)


@st.composite
def leaves(draw: st.DrawFn, *, dated: bool = True) -> dict[str, Any]:
    """A condition whose value its operator can use; ``dated`` ones mean something else every day."""
    more = days if dated else st.nothing()
    operator = draw(st.sampled_from(OPERATORS))
    if operator in (">", "<", ">=", "<="):
        value: Any = draw(st.one_of(numbers, texts, more))
    elif operator in ("in", "not_in"):
        value = draw(st.lists(operands, max_size=4))
    elif operator in ("starts_with", "ends_with"):
        value = draw(texts)
    elif operator in ("==", "!="):
        value = draw(operands | more)
    else:
        value = draw(operands)
    return {"field": draw(fields), "operator": operator, "value": value}
