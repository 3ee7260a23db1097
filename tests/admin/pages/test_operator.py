"""What an operator comes to do, as docs/pages.md counts it: each click, and each field that is filled, is a step."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from playwright.async_api import expect

from tests.admin.conftest import Api
from tests.admin.log import Log
from tests.admin.pages.conftest import Visit
from tests.admin.pages.people import person
from tests.admin.test_retry import failed
from tests.admin.test_waiting import wait


async def test_the_four_tasks_of_a_night(visit: Visit, api: Api, log: Log, api_database: str, somebody: Any) -> None:
    """Whether it is ours, what is stuck, retrying what failed, and what happened to one customer."""
    who, user = await person(api, somebody)
    await log.connection.execute("DELETE FROM outbox")
    row = await failed(user, log, "success", "failed", at=datetime.now(UTC), error="smtp.example.com refused it")
    await wait(api_database, UUID(row["workflow"]), 90, f"c-{user.id}")
    customer = {"id": f"n-{user.id}", "name": "Nadia Night", "email": f"nadia-{user.id}@example.com"}
    assert (await api.user("admin").call("POST", "/api/v1/crm/customers", customer)).status == 201
    async with visit(who) as window:
        page = window.page
        # Is it ours? Two: the overview, and the part of its sentence.
        await window.go("/settings")
        await page.get_by_role("link", name="Overview", exact=True).click()
        await expect(page.get_by_role("region", name="What fails most")).to_contain_text("smtp.example.com refused it")
        await page.get_by_role("link", name=re.compile("is failing")).click()
        # Retrying: two more, where all that failed of it is shown already.
        await page.get_by_label("Choose all that can be retried").check()
        await page.get_by_role("button", name="Retry 1").click()
        await expect(page.get_by_text("1 execution will be retried")).to_be_visible()
        # What is stuck? Two.
        await page.get_by_role("link", name="Overview", exact=True).click()
        await page.get_by_role("link", name="Waiting now").click()
        await expect(page.get_by_role("row").nth(1)).to_contain_text("Step 2: Wait, then step 3")
        # What happened to this customer? Two: an e-mail in the search box, and their timeline.
        await page.keyboard.press("/")
        await page.get_by_role("searchbox", name="Search").fill(customer["email"])
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Nadia Night")
