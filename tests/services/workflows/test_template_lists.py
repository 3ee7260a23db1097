"""Pages of the gallery that are kept: for whom, how long, how much, and when they are forgotten."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.services.workflows.template_lists import TTL_S, TemplateLists
from schemas.template import Template

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ANA, BEA = uuid4(), uuid4()


def template(text: str = "") -> Template:
    """A template with so much to say."""
    written: dict[str, Any] = {"name": "t", "description": text, "category": None, "is_public": True, "priority": 5}
    parts = {"reentry": "always", "trigger": {"type": "order.paid"}, "conditions": [], "actions": []}
    kept = {"id": uuid4(), "version": 1, "usage_count": 0, "created_by": ANA, "created_at": NOW, "updated_at": NOW}
    return Template.model_validate({**written, **parts, **kept})


class Reads:
    """Counts what is read from the store."""

    def __init__(self, rows: Sequence[Template]) -> None:
        self.rows = rows
        self.count = 0
        self.meanwhile: Any = None

    async def read(self) -> Sequence[Template]:
        """Read; something may happen meanwhile."""
        self.count += 1
        if self.meanwhile is not None:
            self.meanwhile()
        return self.rows


async def reads(lists: TemplateLists, store: Reads, *of: tuple[UUID, str]) -> list[int]:
    """How many reads there have been after each list."""
    counts = []
    for owner, key in of:
        assert await lists.rows(owner, key, store.read) == store.rows
        counts.append(store.count)
    return counts


async def test_a_page_is_read_once_for_each_caller_and_filter() -> None:
    """And again after an hour."""
    now = [0.0]
    lists, store = TemplateLists(lambda: now[0]), Reads([template()])
    lists.trust()
    assert await reads(lists, store, (ANA, "a"), (ANA, "a"), (BEA, "a"), (ANA, "b"), (BEA, "a")) == [1, 1, 2, 3, 3]
    now[0] = TTL_S - 1
    assert await reads(lists, store, (ANA, "a")) == [3]
    now[0] = TTL_S
    assert await reads(lists, store, (ANA, "a"), (ANA, "a")) == [4, 4]


async def test_nothing_is_kept_while_changes_are_not_heard_of() -> None:
    """Neither before it is listened for, nor once that has ended; what was kept is gone."""
    lists, store = TemplateLists(lambda: 0.0), Reads([template()])
    assert await reads(lists, store, (ANA, "a"), (ANA, "a")) == [1, 2]
    lists.trust()
    assert await reads(lists, store, (ANA, "a"), (ANA, "a")) == [3, 3]
    lists.distrust()
    assert await reads(lists, store, (ANA, "a"), (ANA, "a")) == [4, 5]
    lists.trust()
    assert await reads(lists, store, (ANA, "a"), (ANA, "a")) == [6, 6]


@pytest.mark.parametrize("changes", [("forget",), ("distrust", "trust")])
async def test_what_is_read_while_a_template_changes_is_not_kept(changes: tuple[str, ...]) -> None:
    """It may be of before the change, and would be shown for an hour."""
    lists, store = TemplateLists(lambda: 0.0), Reads([template()])
    lists.trust()
    store.meanwhile = lambda: [getattr(lists, change)() for change in changes]
    await reads(lists, store, (ANA, "a"))
    store.meanwhile = None
    assert await reads(lists, store, (ANA, "a"), (ANA, "a")) == [2, 2]


async def test_pages_are_bounded_in_bytes() -> None:
    """One user's pages put out their own, not all others'; a page over the share is read each time."""
    lists, store = TemplateLists(lambda: 0.0, most=400_000), Reads([template("x" * 5_000)])
    lists.trust()
    await reads(lists, store, (BEA, "a"), *((ANA, str(number)) for number in range(20)))
    assert await reads(lists, store, (BEA, "a"), (ANA, "19"), (ANA, "0")) == [21, 21, 22]
    store.rows = [template("x" * 9_000) for _ in range(3)]
    assert await reads(lists, store, (ANA, "large"), (ANA, "large")) == [23, 24]
