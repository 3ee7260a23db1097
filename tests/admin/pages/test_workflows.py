"""The list of workflows, as somebody uses it: to see how they do, and to switch, copy, delete and find them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from playwright.async_api import expect

from tests.admin.conftest import Api
from tests.admin.log import Log
from tests.admin.pages.conftest import LOOKS, Visit
from tests.admin.pages.looks import looked_at_by_all
from tests.admin.pages.people import expect_status, person
from tests.admin.test_waiting import wait
from tests.support.chromium import Window

_HOSTILE = "<img src=x onerror=alert(1)>"
_SECRET = {"url": "https://example.com", "headers": {"Authorization": "Bearer {{ secrets.TOKEN_OF_NOBODY }}"}}
_WEBHOOK = [{"type": "webhook", "order": 1, "config": _SECRET}]


async def _ran(database: str, log: Log, workflow: dict[str, Any], **counts: int) -> None:
    at = datetime.now(UTC)
    for status, count in counts.items():
        for minutes in range(count):
            await log.add(workflow, status=status, at=at - timedelta(minutes=minutes))
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await connection.execute("INSERT INTO automation_last_runs VALUES (%s, now())", (UUID(workflow["id"]),))


async def test_the_list_says_how_each_workflow_does(
    visit: Visit, api: Api, somebody: Callable[..., Any], log: Log, api_database: str
) -> None:
    """What starts it, whether it is on, when it ran, how its runs ended, and that its draft differs; in every look."""
    who, user = await person(api, somebody)
    busy = await user.create(name="Thank for a big order")
    await user.call("POST", f"/api/v1/workflows/{busy['id']}/activate")
    await user.call("PATCH", f"/api/v1/workflows/{busy['id']}", {"priority": 2}, headers={"If-Match": "*"})
    await _ran(api_database, log, busy, success=12, failed=2, skipped=6)
    schedule = {"type": "temporal.weekly", "config": {"at": "09:00", "timezone": "America/Sao_Paulo", "days": ["mon"]}}
    await user.create(name="Monday's reminder", trigger=schedule)
    await user.create(name="A long type", trigger={"type": "shop.checkout.abandoned.by.subscriber"})
    tagged = {"type": "tag.applied", "config": {"tag": "VIP"}}
    await user.create(name=_HOSTILE, description="Greets who is new " * 9, trigger=tagged)
    for look in LOOKS:
        async with visit(who, **look) as window:
            await window.go("/workflows")
            page = window.page
            row = page.get_by_role("row").filter(has_text="Thank for a big order")
            await expect(row).to_contain_text("When an order is paid")
            await expect(row).to_contain_text("Draft, 1 change")
            await expect(row.get_by_role("img", name="12 succeeded, 2 failed, 6 did not run")).to_be_visible()
            await expect(row.get_by_role("switch")).to_be_checked()
            await expect(page.get_by_text("Every Monday at 09:00 (America/Sao Paulo)")).to_be_visible()
            await expect(page.get_by_role("link", name=_HOSTILE)).to_be_visible()
            await window.looked_at("workflows")


async def test_a_switch_works_at_once_and_without_scripts(visit: Visit, api: Api, somebody: Callable[..., Any]) -> None:
    """It says what was done and undoes it; what keeps one from going on is named, with where it is mended."""
    who, user = await person(api, somebody, "admin")
    one = await user.create(name=f"Switched {who.id}")
    async with visit(who) as window:
        await window.go(f"/workflows?search={who.id}")
        await window.page.get_by_role("switch").click()
        await expect(window.page.get_by_role("switch")).to_be_checked()
        await window.page.get_by_role("button", name="Undo").click()
        await expect(window.page.get_by_role("switch")).not_to_be_checked()
        await expect(window.page.get_by_role("cell", name="You", exact=True)).to_be_visible()
        await window.page.get_by_role("button", name="More for").click()
        await looked_at_by_all(window, "workflows-menu")
    async with visit(who, scripts=False) as window:
        await window.go(f"/workflows?search={who.id}")
        await window.page.get_by_role("switch").click()
        await expect(window.page.get_by_text(f"“{one['name']}” is on.")).to_be_visible()
        await expect(window.page.get_by_label("Name or description")).to_have_value(str(who.id))
        await window.page.get_by_role("button", name="Undo").click()
        await expect(window.page.get_by_role("switch")).not_to_be_checked()


async def test_what_keeps_one_from_going_on_is_named(visit: Visit, api: Api, somebody: Callable[..., Any]) -> None:
    """The secret that is missing, in which step, and where it is stored."""
    who, user = await person(api, somebody, "admin")
    await user.create(name=f"Tell the shop {who.id}", actions=_WEBHOOK)
    async with visit(who) as window:
        await window.go(f"/workflows?search={who.id}")
        await window.page.get_by_role("switch").click()
        await expect(window.page.get_by_role("heading", level=1)).to_have_text("Not switched on yet")
        await expect(window.page.get_by_text("Step 1: secrets.TOKEN_OF_NOBODY is not set")).to_be_visible()
        await expect(window.page.get_by_role("link", name="Secrets")).to_have_attribute("href", "/settings/secrets")
        await looked_at_by_all(window, "workflows-refused")
        for _ in range(2):  # the API refused it, and the page did
            expect_status(window, 409)


async def test_many_are_deleted_and_brought_back_as_they_were(
    visit: Visit, api: Api, somebody: Callable[..., Any]
) -> None:
    """With one click for all, and one to undo it: what was on is on again. Those of before stay to be found."""
    who, user = await person(api, somebody)
    first, second = [await user.create(name=name) for name in ("First", "Second")]
    await user.call("POST", f"/api/v1/workflows/{first['id']}/activate")
    async with visit(who) as window:
        page = window.page
        await window.go("/workflows")
        await page.get_by_label("Tick all").check()
        await expect(page.get_by_text("2 ticked:")).to_be_visible()
        await page.get_by_role("button", name="Delete", exact=True).click()
        await expect(page.get_by_text("2 workflows are deleted.")).to_be_visible()
        await expect(page.get_by_role("heading", name="No workflows yet")).to_be_visible()
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("2 workflows are back.")).to_be_visible()
        await expect(page.get_by_role("switch", name="First")).to_be_checked()
        await page.get_by_role("button", name="More for Second").click()
        await page.get_by_role("button", name="Delete").filter(visible=True).last.click()
        await page.get_by_role("link", name="Deleted workflows").click()
        await page.get_by_role("button", name="Bring back Second").click()
    assert (await user.call("GET", f"/api/v1/workflows/{second['id']}")).status == 200


async def test_executions_that_wait_are_asked_about(
    visit: Visit, api: Api, somebody: Callable[..., Any], api_database: str
) -> None:
    """Whoever switches one off with customers half-way through says what becomes of them, without scripts too."""
    who, user = await person(api, somebody)
    one = await user.create(name="Three days later")
    await user.call("POST", f"/api/v1/workflows/{one['id']}/activate")
    await wait(api_database, UUID(one["id"]), 5)
    async with visit(who, scripts=False) as window:
        await window.go("/workflows")
        await window.page.get_by_role("switch").click()
        await expect(window.page.get_by_role("heading", name="Executions of it wait")).to_be_visible()
        expect_status(window, 409)
        await window.page.get_by_role("button", name="Let them finish, and switch off").click()
        await expect(window.page.get_by_text("“Three days later” is off.")).to_be_visible()


async def test_the_list_is_filtered_copied_and_exported(visit: Visit, api: Api, somebody: Callable[..., Any]) -> None:
    """It says what it is filtered by, keeps it in the address, and says what to do where nothing fits."""
    who, user = await person(api, somebody)
    await user.create(name="Alpha", trigger={"type": "customer.created", "config": {}})
    await user.create(name="Beta")
    async with visit(who) as window:
        page = window.page
        await window.go("/workflows")
        await page.get_by_label("Starts").select_option("A customer is created")
        await page.get_by_role("button", name="Show").click()
        await expect(page.get_by_text("that start with “A customer is created”")).to_be_visible()
        await expect(page.get_by_role("switch")).to_have_count(1)
        await _copied(window)
        await page.get_by_role("button", name="More for Copy of Alpha").click()
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Export").filter(visible=True).click()
        assert (await download.value).suggested_filename == "workflows.jsonl"
        await page.keyboard.press("Escape")
        await page.get_by_label("Name or description").fill("nothing of the kind")
        await page.get_by_role("button", name="Show").click()
        await expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
        await page.get_by_role("link", name="Show all workflows").click()
        await expect(page.get_by_role("switch")).to_have_count(3)


async def _copied(window: Window) -> None:
    await window.page.get_by_role("button", name="More for Alpha").click()
    await window.page.get_by_role("button", name="Duplicate").filter(visible=True).click()
    await expect(window.page.get_by_text("“Copy of Alpha” is made, and off.")).to_be_visible()
    await expect(window.page.get_by_text("that start with “A customer is created”")).to_be_visible()
