"""Drafts of workflows at random, as users might write them."""

from typing import Any

from hypothesis import strategies as st

from app.domain.visible import is_visible
from schemas.event_types import BUSINESS_EVENT_TYPES, TEMPORAL_EVENT_TYPES

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
NAMES = TEXT.filter(is_visible)
# What Jinja would read as syntax is another test's business.
PLAIN = NAMES.filter(lambda text: "{" not in text and "\n" not in text and "\r" not in text)
LINES = PLAIN.filter(lambda text: len(text.splitlines()) == 1)
VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | TEXT

CONDITIONS = st.fixed_dictionaries(
    {
        "field": st.sampled_from(["order.total", "customer.state", "event.type", "order.items.0.price"]),
        "operator": st.sampled_from(["==", "!="]),
        "value": VALUES,
    },
    optional={"logic": st.sampled_from(["AND", "OR"])},
)
CONDITION_LISTS = st.lists(
    CONDITIONS
    | st.builds(
        lambda inner: {"any": inner},
        st.lists(
            CONDITIONS.map(lambda condition: {k: v for k, v in condition.items() if k != "logic"}),
            min_size=1,
            max_size=3,
        ),
    ),
    max_size=4,
)
CONFIGURED = st.one_of(
    st.builds(lambda tag: ("apply_tag", {"tag": tag}), st.from_regex(r"[a-z]{1,20}", fullmatch=True)),
    st.builds(lambda text: ("create_note", {"text": text}), PLAIN),
    st.builds(lambda reason: ("stop_workflow", {"reason": reason}), LINES),
)

REENTRIES: list[Any] = [
    "always",
    "once",
    "once per day",
    "once per 90 minutes",
    {"once": True, "key": "cart.id"},
    {"once_per": "1 hour", "key": "event.subject"},
]
_AT = st.times().map(lambda at: at.strftime("%H:%M"))
_TIMES = {"at": _AT, "timezone": st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo"])}
_CONFIGS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "tag.applied": st.fixed_dictionaries({}, optional={"tag": st.from_regex(r"[a-z]{1,20}", fullmatch=True)}),
    "customer.updated": st.fixed_dictionaries({}, optional={"fields": st.just(["plan", "email"])}),
    "temporal.daily": st.fixed_dictionaries(_TIMES),
    "temporal.weekly": st.fixed_dictionaries({**_TIMES, "days": st.just(["mon", "sun"])}),
    "temporal.monthly": st.fixed_dictionaries({**_TIMES, "day": st.integers(1, 31)}),
}
TRIGGERS = st.sampled_from(BUSINESS_EVENT_TYPES + TEMPORAL_EVENT_TYPES).flatmap(
    lambda kind: st.fixed_dictionaries({"type": st.just(kind), "config": _CONFIGS.get(kind, st.just({}))})
)


@st.composite
def drafts(draw: st.DrawFn) -> dict[str, Any]:
    """A valid draft, complete."""
    configured = draw(st.lists(CONFIGURED, min_size=1, max_size=4))
    orders = draw(st.lists(st.integers(0, 1000), min_size=len(configured), max_size=len(configured), unique=True))
    return {
        "name": draw(NAMES),
        "description": draw(TEXT),
        "priority": draw(st.integers(1, 9)),
        "reentry": draw(st.sampled_from(REENTRIES)),
        "trigger": draw(TRIGGERS),
        "conditions": draw(CONDITION_LISTS),
        "actions": [
            {"type": kind, "order": order, "config": config, "conditions": draw(CONDITION_LISTS)}
            for (kind, config), order in zip(configured, orders, strict=True)
        ],
    }
