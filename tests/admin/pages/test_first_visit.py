"""The first visit: what to do first, and demo data that goes as it came."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from tests.admin.conftest import Api
from tests.admin.log import Log
from tests.admin.pages.conftest import EACH_LOOK, Somebody, Visit
from tests.admin.pages.looks import looked_at_by_all
from tests.admin.pages.test_gallery import user_of

_LEFT = """
    SELECT (SELECT count(*) FROM crm.customers WHERE customer_id LIKE 'demo-%') +
      (SELECT count(*) FROM sales.orders WHERE customer_id LIKE 'demo-%') +
      (SELECT count(*) FROM crm.conversations WHERE customer_id LIKE 'demo-%') +
      (SELECT count(*) FROM crm.messages WHERE customer_id LIKE 'demo-%') +
      (SELECT count(*) FROM crm.notes WHERE customer_id LIKE 'demo-%') + (SELECT count(*) FROM demo_data)
"""


@pytest.fixture
async def empty(log: Log) -> AsyncIterator[Log]:
    """The log of a database without demo data, before and after."""
    await log.connection.execute("DELETE FROM demo_data")
    yield log
    await log.connection.execute("DELETE FROM demo_data")


async def test_demo_data_goes_as_it_came(api: Api, empty: Log, visit: Visit, somebody: Somebody) -> None:
    """Loaded by one click, by an administrator; removed by another; what somebody has changed stays, and is theirs."""
    who = await somebody("admin")
    user = user_of(api, who)
    async with visit(who) as window:
        page = window.page
        await window.go("/settings")
        await page.get_by_role("navigation", name="Settings").get_by_role("link", name="Demo data").click()
        await expect(page.get_by_role("heading", name="A small business to look at")).to_be_visible()
        await looked_at_by_all(window, "demo")
        await page.get_by_role("button", name="Load the demo data").click()
        await expect(page.get_by_text("The demo data is loaded.")).to_be_visible()
        await expect(page.get_by_text("5 customers with orders and messages, and 3 workflows")).to_be_visible()
        await looked_at_by_all(window, "demo-loaded")
        found = (await user.call("GET", "/api/v1/workflows?active=true&search=Demo")).json["items"]
        mine = [one for one in found if one["created_by"] == str(who.id)]
        assert len(mine) == 3
        path = f"/api/v1/workflows/{mine[0]['id']}"
        changed = await user.call("PATCH", f"{path}?publish=true", {"name": "Now mine"}, headers={"If-Match": "*"})
        assert changed.status == 200, changed
        await empty.connection.execute(
            "INSERT INTO crm.notes (note_id, customer_id, text)"
            " SELECT gen_random_uuid(), id, 'by a workflow' FROM demo_data WHERE kind = 'customer'"
        )
        await page.get_by_role("button", name="Remove the demo data").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove the demo data").click()
        await expect(page.get_by_text("1 workflow that somebody has changed is still there.")).to_be_visible()
    (left,) = await (await empty.connection.execute(_LEFT)).fetchone() or (None,)
    assert left == 0
    statuses = [(await user.call("GET", f"/api/v1/workflows/{one['id']}")).status for one in mine]
    assert sorted(statuses) == [200, 404, 404]


async def test_demo_data_is_an_administrators(visit: Visit, somebody: Somebody) -> None:
    """Others are told that they may not."""
    async with visit(await somebody()) as window:
        await window.go("/demo")
        assert await window.heading() == "You may not do this"
        window.wrong.clear()  # Chromium puts every 403 into the console


@pytest.mark.parametrize("look", EACH_LOOK)
async def test_a_fresh_installation_says_what_to_do_first(
    api: Api, empty: Log, visit: Visit, somebody: Somebody, look: dict[str, bool]
) -> None:
    """The next step has the button; steps that are done are ticked; once all are, the card is gone."""
    who = await somebody("admin")
    user = user_of(api, who)
    async with visit(who, **look) as window:
        page = window.page
        card = page.get_by_role("region", name="Your first workflow")
        await window.go("/")
        await expect(card.get_by_role("link", name="Load demo data")).to_be_visible()
        await expect(card.get_by_role("link", name="Choose a template")).to_be_visible()
        await window.looked_at("first-steps")
        workflow = await user.create()
        await window.go("/")
        await expect(card.get_by_role("link", name="Open your workflow")).to_be_visible()
        await user.call("POST", f"/api/v1/workflows/{workflow['id']}/activate")
        await window.go("/")
        await expect(card.get_by_role("link", name="To the executions")).to_be_visible()
        await empty.connection.execute("INSERT INTO automation_last_runs VALUES (%s, now())", (workflow["id"],))
        await window.go("/")
        await expect(card).to_have_count(0)
