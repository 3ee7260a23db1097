"""Conditions are said in the same words where they are written and where they are read."""

from typing import Any, Final

import pytest
from playwright.async_api import expect

from app.domain.condition_words import condition_words
from tests.admin.conftest import Api
from tests.admin.pages.conftest import Visit
from tests.admin.pages.test_editor import made


def leaf(operator: str, value: Any, field: str = "order.total", **more: Any) -> dict[str, Any]:
    """Return one condition."""
    return {"field": field, "operator": operator, "value": value, **more}


CASES: Final = [
    ([], ""),
    ([leaf(">", 1000)], "order total is more than 1,000"),
    ([leaf(">=", 1.5, logic="OR"), leaf("<", 2), leaf("!=", "a")],
     "order total is at least 1.5 or (order total is less than 2 and order total is not “a”)"),
    ([leaf("contains", "VIP", "customer.tags", logic="OR"), leaf("in", ["SP", "RJ"], "customer.home_state")],
     "customer tags contains “VIP” or customer home state is one of “SP” or “RJ”"),
    ([leaf("not_in", ["SP"]), leaf("==", None), leaf("!=", None)],
     "order total is none of “SP” and order total is empty and order total has a value"),
    ([leaf(">", {"now": "-90d"}), leaf("<", {"now": "-1h"}), leaf(">", {"now": "+2w"})],
     ("order total is within the last 90 days and order total is longer ago than 1 hour"
      " and order total is later than in 2 weeks")),
    ([leaf("==", {"today": True}), leaf("==", {"today": "+3d"}), leaf("==", {"today": "-1d"})],
     "order total is today and order total is in this many days: 3 and order total was this many days ago: 1"),
    ([leaf("==", "x" * 20_000), leaf("==", "\U0001f600" * 91), leaf("==", "\u202edab\x00")],
     (f"order total is “{'x' * 90}…” and order total is “{chr(0x1F600) * 90}…”"
      " and order total is “\ufffddab\ufffd”")),
    ([leaf("in", [*range(21)]), leaf("==", {"json": ["y" * 5000]}), leaf("in", [*range(1000)])],
     (f"order total is one of {', '.join(map(str, range(20)))} or 20"
      f' and order total is ["{"y" * 88}… and order total is one of {", ".join(map(str, range(20)))} or 980 more')),
    ([leaf("<", "2026-03-01T09:30:00Z"), leaf("==", True), leaf("==", {"json": {"a": 1}})],
     'order total is before 2026-03-01 09:30 UTC and order total is yes and order total is {"a":1}'),
    ([{"all": [leaf(">", 1), {"any": [leaf("<", 5), leaf("<", 6)]}]}, {"not": {"any": [leaf("==", 3)]}}],
     ("(order total is more than 1 and (order total is less than 5 or order total is less than 6))"
      " and none of (order total is 3)")),
    ([{"not": leaf("==", 1)}, {"not": [leaf("==", 1), leaf("==", 2)]}, {"not": {"all": [leaf("==", 3)]}}],
     "none of (order total is 1) and not (order total is 1 and order total is 2) and not all of (order total is 3)"),
]  # fmt: skip


@pytest.mark.parametrize(("conditions", "words"), CASES, ids=[words[:40] for _, words in CASES])
def test_conditions_are_said_in_words(conditions: list[Any], words: str) -> None:
    """As a person says them; and binds tighter than or."""
    assert condition_words(conditions) == words


@pytest.mark.parametrize(
    "unfinished", [None, "x", [None], [{"all": 3}], [{"field": 3}], [{"not": None}], [{"value": []}]]
)
def test_an_unfinished_draft_is_said_as_far_as_it_goes(unfinished: Any) -> None:
    """Nothing of it raises."""
    assert isinstance(condition_words(unfinished), str)


async def test_the_editor_says_the_same(api: Api, visit: Visit, somebody: Any) -> None:
    """Of every case, and it gives back what it was given."""
    who = await somebody()
    path = await made(api, who)
    async with visit(who) as window:
        await window.go(path)
        await expect(window.page.get_by_role("button", name="Add a condition")).to_be_visible()
        for conditions, words in CASES:
            kept = await window.page.evaluate(
                """(conditions) => {
                  const builder = document.querySelector("condition-builder");
                  builder.value = conditions;
                  return builder.value;
                }""",
                conditions,
            )
            assert kept == conditions
            shown = f"It runs if {words}." if words else "It runs every time: there are no conditions."
            await expect(window.page.get_by_text(shown, exact=True)).to_be_visible()
