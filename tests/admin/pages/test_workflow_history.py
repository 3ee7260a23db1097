"""A workflow's history: who changed what, any two versions beside each other, and the way back to one."""

from collections.abc import Callable
from typing import Any

from playwright.async_api import expect

from tests.admin.conftest import Api
from tests.admin.pages.conftest import LOOKS, Visit
from tests.admin.pages.looks import looked_at_by_all
from tests.admin.pages.people import expect_status, person

_MORE = [{"field": "order.total", "operator": ">", "value": 1000}]


async def test_a_version_is_compared_and_taken_back(visit: Visit, api: Api, somebody: Callable[..., Any]) -> None:
    """What each changed is said in words; going back makes a draft, and asks before it takes another one's place."""
    who, user = await person(api, somebody)
    one = await user.create(name="<b>Big</b> order")
    path = f"/api/v1/workflows/{one['id']}"
    await user.call("PATCH", path, {"conditions": _MORE, "priority": 2}, headers={"If-Match": "*"})
    await user.call("POST", f"{path}/activate")
    for look in LOOKS[1:]:
        async with visit(who, **look) as window:
            await window.go(f"/workflows/{one['id']}/history?from=1&to=3")
            await window.looked_at("workflow-history")
    async with visit(who) as window:
        page = window.page
        await window.go(f"/workflows/{one['id']}/history")
        await expect(page.get_by_role("heading", level=1)).to_have_text("History of <b>Big</b> order")
        await expect(page.get_by_text("Condition now order total is more than 1,000 instead of 500")).to_be_visible()
        await expect(page.get_by_role("row").filter(has_text="Switched on")).to_contain_text("you")
        await page.get_by_label("From version 1").check()
        await page.get_by_role("button", name="Compare").click()
        await expect(page.get_by_role("heading", name="From version 1 to version 3")).to_be_visible()
        await page.get_by_text("Place by place").click()
        await window.looked_at("workflow-history")
        await page.get_by_role("button", name="Go back to version 1").click()
        await expect(page.get_by_text("The draft is as that version was.")).to_be_visible()
        await page.get_by_role("button", name="Go back to version 2").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("There is a draft already")
        expect_status(window, 409)
        await looked_at_by_all(window, "workflow-history-over")
        await page.get_by_role("button", name="Throw the draft away").click()
    draft = (await user.call("GET", f"{path}/draft")).json
    assert draft["workflow"]["conditions"] == [{**_MORE[0], "logic": "AND"}] or draft["workflow"]["conditions"] == _MORE
