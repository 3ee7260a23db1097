"""The search box, and the pages of errors."""

from typing import Any

from playwright.async_api import expect

from tests.admin.conftest import Api
from tests.admin.log import Log
from tests.admin.pages.conftest import Visit
from tests.admin.pages.looks import looked_at_by_all
from tests.admin.pages.people import expect_status, person

MARKUP = "<b onclick=alert(1)>"


async def test_one_box_finds_workflows_customers_and_executions(
    visit: Visit, api: Api, log: Log, somebody: Any
) -> None:
    """What has the words is listed by kind; what is only one is shown at once; nothing says what can be looked for."""
    who, user = await person(api, somebody)
    mine = await user.create(name=f"Zebra orders {MARKUP}")
    await user.create(name="Zebra welcome")
    email = f"zebra-{who.id}@example.com"
    customer = {"id": f"z-{who.id}", "name": "Zebra Ada", "email": email}
    assert (await api.user("admin").call("POST", "/api/v1/crm/customers", customer)).status == 201
    row = await log.add(mine, event_id=f"e-{who.id}")
    async with visit(who) as window:
        page = window.page
        await window.go("/executions")
        box = page.get_by_role("searchbox", name="Search")
        await box.fill("Zebra")
        await box.press("Enter")
        await expect(page.get_by_role("link", name=f"Zebra orders {MARKUP}")).to_be_visible()
        await expect(page.get_by_role("region", name="Customers")).to_contain_text(email)
        await expect(box).to_have_value("Zebra")
        await looked_at_by_all(window, "search")
        await box.fill(str(row["id"]))
        await box.press("Enter")
        assert await window.heading() == f"Zebra orders {MARKUP}"
        assert page.url.endswith(f"/executions/{row['id']}")
        await window.go(f"/search?q=e-{who.id}")
        await expect(page.get_by_role("region", name="Executions")).to_contain_text("Succeeded")
        await window.go("/search?q=nobody-is-called-so")
        await expect(page.get_by_role("heading", name="Nothing found for")).to_be_visible()
        await window.looked_at("search-nothing")


async def test_a_wrong_method_is_answered_with_a_page(visit: Visit, api: Api, somebody: Any) -> None:
    """A browser is told in words; a program that asks the same gets a problem document and Allow."""
    who, _ = await person(api, somebody)
    async with visit(who) as window:
        await window.go("/executions/retry")
        expect_status(window, 405)
        assert await window.heading() == "That cannot be done here"
        await window.looked_at("wrong-method")
    async with api.client.get("/executions/retry", headers={**who.cookie, "Accept": "application/json"}) as answer:
        assert (answer.status, answer.content_type) == (405, "application/problem+json")
        assert set(answer.headers["Allow"].replace(" ", "").split(",")) == {"OPTIONS", "POST"}
