"""What a marketer comes to do, as docs/pages.md counts it: each click, and each field that is filled, is a step."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from playwright.async_api import Locator, expect

from tests.admin.conftest import Api
from tests.admin.log import Log
from tests.admin.pages.conftest import Visit
from tests.admin.pages.looks import looked_at_by_all
from tests.admin.pages.people import person


@dataclass
class Counted:
    """Counts what somebody does."""

    steps: int = 0

    async def click(self, what: Locator) -> None:
        """Click something."""
        self.steps += 1
        await what.click()

    async def fill(self, what: Locator, text: str) -> None:
        """Fill a field; what comes up beside it is put away by leaving it."""
        self.steps += 1
        await what.fill(text)
        await what.press("Tab")


async def test_a_workflow_is_made_tried_and_switched_on(visit: Visit, api: Api, somebody: Callable[..., Any]) -> None:
    """From the first page to one that is on: a tag for who has paid more than 1,000."""
    who, user = await person(api, somebody, "user", "crm:read")
    async with visit(who) as window:
        page, do = window.page, Counted()
        await window.go("/settings")
        await do.click(page.get_by_role("link", name="Workflows", exact=True))
        await do.click(page.get_by_role("link", name="New workflow"))
        await do.fill(page.get_by_label("Name", exact=True), "Thank for a big order")
        await do.click(page.get_by_role("button", name="Go on"))
        await do.click(page.get_by_role("button", name="Add a condition"))
        await do.fill(page.get_by_label("Field", exact=True), "order.total")
        await page.get_by_label("Comparison", exact=True).select_option("is more than")
        do.steps += 1
        await do.fill(page.get_by_label("Value", exact=True), "1000")
        await do.click(page.get_by_role("button", name="Add a step at the end"))
        await do.click(page.get_by_role("dialog").get_by_role("button", name="Put a tag on the customer"))
        await do.fill(page.get_by_label("Tag", exact=True), "VIP")
        await looked_at_by_all(window, "marketer-written")
        await do.click(page.get_by_role("radio", name="A sample"))
        await do.click(page.get_by_role("button", name="Try it"))
        await expect(page.get_by_text("Not met: order total is more than 1,000")).to_be_visible()
        await do.click(page.get_by_role("button", name="Publish", exact=True))
        await do.click(page.get_by_role("button", name="Publish and switch on"))
        await page.wait_for_url("**?did=on", wait_until="domcontentloaded")
        assert do.steps == 15
    (made,) = (await user.call("GET", "/api/v1/workflows")).json["items"]
    assert (made["active"], made["actions"][0]["config"], made["conditions"][0]["value"]) == (
        True,
        {"tag": "VIP"},
        1000,
    )


async def test_one_is_switched_off_looked_into_and_taken_back(
    visit: Visit, api: Api, somebody: Callable[..., Any], log: Log
) -> None:
    """Two steps to switch off, four to why it did not run, seven until an earlier version is live again."""
    who, user = await person(api, somebody)
    one = await user.create(name="Thank for a big order")
    path = f"/api/v1/workflows/{one['id']}"
    await user.call("POST", f"{path}/activate")
    await user.call("PATCH", f"{path}?publish=true", {"conditions": []}, headers={"If-Match": "*"})
    unmet = {"path": "order.total", "operator": ">", "expected": 500, "actual": 40, "met": False, "reason": "40 > 500"}
    await log.add(one, status="skipped", met=False, verdicts=[unmet], attempt=0, at=datetime.now(UTC))
    async with visit(who) as window:
        page = window.page
        workflows = page.get_by_role("link", name="Workflows", exact=True)
        do = Counted()
        await window.go("/settings")
        await do.click(workflows)
        await do.click(page.get_by_role("switch"))
        await expect(page.get_by_role("switch")).not_to_be_checked()
        assert do.steps == 2
        do = Counted()
        await do.click(workflows)
        await do.click(page.get_by_role("button", name="More for Thank for a big order"))
        await do.click(page.get_by_role("link", name="Executions").filter(visible=True).last)
        await do.click(page.get_by_role("main").get_by_role("link", name="Thank for a big order"))
        await expect(page.get_by_text("order total is 40").first).to_be_visible()
        assert do.steps == 4
        do = Counted()
        await do.click(workflows)
        await do.click(page.get_by_role("button", name="More for Thank for a big order"))
        await do.click(page.get_by_role("link", name="History"))
        await do.click(page.get_by_role("button", name="Go back to version 1"))
        await do.click(page.get_by_role("link", name="Look at the draft"))
        await do.click(page.get_by_role("button", name="Publish", exact=True))
        await do.click(page.get_by_role("dialog").get_by_role("button", name="Publish").first)
        await page.wait_for_url("**?did=published", wait_until="domcontentloaded")
        assert do.steps == 7
    assert (await user.call("GET", path)).json["conditions"] != []


async def test_what_is_not_written_yet_is_no_mistake(visit: Visit, api: Api, somebody: Callable[..., Any]) -> None:
    """It is said in a calm line, whatever is added; numbers are taken as people write them; a word for one is not.

    A word where events hold numbers would never be met, so it keeps the draft from being published.
    """
    who, user = await person(api, somebody)
    async with visit(who) as window:
        page = window.page
        await window.go("/workflows/new")
        await page.get_by_label("Name", exact=True).fill("Thank for a big order")
        await page.get_by_role("button", name="Go on").click()
        await expect(page.get_by_text("to do before it can be published: add at least one step")).to_be_visible()
        await page.get_by_role("button", name="Add a condition").click()
        await expect(page.get_by_text("to do before it can be published: 3 things")).to_be_visible()
        await expect(page.get_by_role("heading", name="from being published")).to_be_hidden()
        value = page.get_by_label("Value", exact=True)
        await expect(value).not_to_have_attribute("aria-invalid", "true")
        await page.get_by_label("Field", exact=True).fill("order.total")
        await value.fill("1,000.50")
        await expect(page.get_by_text("It runs if order total is 1,000.5.")).to_be_visible()
        await value.fill("lots")
        await page.get_by_role("button", name="Publish", exact=True).click()
        await expect(value).to_be_focused()
        await expect(value).to_have_accessible_description("Enter a number, such as 1000 or 99.90")
        await expect(page.get_by_role("heading", name="2 things keep this from being published")).to_be_visible()
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await looked_at_by_all(window, "marketer-to-do")
        await page.get_by_label("Field", exact=True).fill("customer.tags")
        await expect(page.get_by_role("option", name="tags")).to_have_count(1)
    assert not (await user.call("GET", "/api/v1/workflows")).json["items"][0]["active"]
