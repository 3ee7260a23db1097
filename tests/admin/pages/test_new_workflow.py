"""New workflows: from scratch, from an event, from a file; and what is said where something is wrong."""

import time
from collections.abc import Callable
from typing import Any

import orjson
from playwright.async_api import expect

from tests.admin.conftest import Api
from tests.admin.pages.conftest import LOOKS, Visit
from tests.admin.pages.looks import looked_at_by_all
from tests.admin.pages.people import expect_status, person

_EVENT = {
    "specversion": "1.0",
    "id": "shop-7",
    "source": "/shop",
    "type": "order.paid",
    "subject": "c-7",
    "data": {"customer": {"id": "c-7", "state": "SP", "tags": ["VIP"]}, "order": {"id": "o-1", "total": "640.00"}},
}
_FILE = """
name: Of a file
trigger: {type: order.paid}
actions:
  - {type: apply_tag, order: 1, config: {tag: big}}
"""


async def test_one_is_begun_from_scratch(visit: Visit, api: Api, somebody: Callable[..., Any]) -> None:
    """By a name and what starts it, without scripts too: it is off, and is not switched on before it has steps."""
    who, user = await person(api, somebody)
    for look in LOOKS:
        async with visit(who, **look) as window:
            page = window.page
            await window.go("/workflows/new")
            await window.looked_at("workflows-new")
            await page.get_by_label("Name", exact=True).fill("  ")
            await page.get_by_label("Starts").select_option("Another event, by its name")
            await page.get_by_label("Name of the event").fill("cart")
            await page.get_by_role("button", name="Go on").click()
            await expect(page.get_by_text("A workflow needs a name").last).to_be_visible()
            await expect(page.get_by_text("words with dots between").last).to_be_visible()
            expect_status(window, 422)
            await window.looked_at("workflows-new-wrong")
    async with visit(who, scripts=False) as window:
        page = window.page
        await window.go("/workflows/new")
        await page.get_by_label("Starts").select_option("Another event, by its name")
        await page.get_by_label("Name", exact=True).fill("Who left a cart")
        await page.get_by_label("Name of the event").fill("shop.cart.abandoned")
        await page.get_by_role("button", name="Go on").click()
        await page.wait_for_url("**/workflows/*-*")
        workflow_id = page.url.rpartition("/")[2]
        window.wrong.clear()
        await window.go("/workflows")
        await page.get_by_role("switch", name="Who left a cart").click()
        await expect(page.get_by_text("It has no steps yet")).to_be_visible()
        expect_status(window, 409)
    made = (await user.call("GET", f"/api/v1/workflows/{workflow_id}/draft")).json
    assert made["workflow"]["trigger"]["type"] == "shop.cart.abandoned"
    assert [one["path"] for one in made["problems"]] == ["actions"]


async def test_one_is_made_of_an_event(visit: Visit, api: Api, somebody: Callable[..., Any]) -> None:
    """Whoever may see events chooses one, and of what it holds the conditions; others are not offered it."""
    who, user = await person(api, somebody, "user", "crm:read")
    api.event_topics.put("t.events.order", b"c-7", orjson.dumps(_EVENT), at=time.time())
    async with visit(who) as window:
        page = window.page
        await window.go("/workflows/new")
        await page.get_by_role("link", name="From a recent event").click()
        await looked_at_by_all(window, "workflows-new-events")
        await page.get_by_role("link", name="Choose An order is paid, shop-7").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("When an order is paid again")
        await expect(page.get_by_label("order total is at least 640")).to_be_checked()
        await page.get_by_label("customer state is “SP”").check()
        await looked_at_by_all(window, "workflows-new-event")
        await page.get_by_role("button", name="Go on").click()
        await page.wait_for_url("**/workflows/*-*")
        window.wrong.clear()
    (made,) = (await user.call("GET", "/api/v1/workflows")).json["items"]
    assert made["conditions"] == [
        {"field": "order.total", "operator": ">=", "value": 640},
        {"field": "customer.state", "operator": "==", "value": "SP"},
    ]


async def test_some_are_made_of_a_file(visit: Visit, api: Api, somebody: Callable[..., Any], tmp_path: Any) -> None:
    """What is wrong is named with its line and field, and nothing is made; several are made at once, each off."""
    who, user = await person(api, somebody)
    file = tmp_path / "flows.yaml"
    file.write_text(_FILE + "\n---" + _FILE.replace("tag: big", "tags: big"))
    async with visit(who) as window:
        page = window.page
        await window.go("/workflows/new/file")
        await page.get_by_label("File").set_input_files(file)
        await expect(page.get_by_label("Its text")).to_have_value(file.read_text())
        await page.get_by_role("button", name="Make").click()
        await expect(page.get_by_text("Line 11: actions[0].config.tags")).to_be_visible()
        expect_status(window, 422)
        await looked_at_by_all(window, "workflows-new-file-wrong")
        await page.get_by_label("Its text").fill(file.read_text().replace("tags: big", "tag: small"))
        await page.get_by_role("button", name="Make").click()
        await expect(page.get_by_text("2 workflows are made, and off.")).to_be_visible()
    assert [one["active"] for one in (await user.call("GET", "/api/v1/workflows")).json["items"]] == [False, False]
