"""Executions as a person looks at them: the list, live and filtered, what waits, one in full, and retrying."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Page, expect

from tests.admin import test_cancelling as cancelling
from tests.admin.conftest import Api
from tests.admin.log import Log
from tests.admin.pages.conftest import Visit
from tests.admin.pages.looks import looked_at_by_all
from tests.admin.pages.people import expect_status, person
from tests.admin.test_retry import ACTIONS, failed
from tests.admin.test_waiting import wait

MARKUP = "<img src=x onerror=alert(1)>"
VERDICTS = [
    {"path": "order.total", "operator": ">", "expected": 100, "actual": 40, "met": False, "reason": "", "at": "[0]"},
    {
        "path": "customer.state",
        "operator": "==",
        "expected": "SP",
        "actual": "SP",
        "met": True,
        "reason": "",
        "at": "[1]",
    },
]
EVENT = re.compile(r"^/events/one\?source=%2Fshop&id=e-9")
FEED = "INSERT INTO execution_feed (ids, times, workflows) SELECT %s, %s, %s"


def minutes_ago(minutes: float) -> datetime:
    """A moment."""
    return datetime.now(UTC) - timedelta(minutes=minutes)


async def told(log: Log, workflow: dict[str, Any], count: int = 1, **changes: Any) -> list[dict[str, Any]]:
    """Write executions as the sink does, so that whoever follows the log is told of them."""
    rows = [await log.add(workflow, **{"at": minutes_ago(0), **changes}) for _ in range(count)]
    ids, times = [row["id"] for row in rows], [row["at"] for row in rows]
    await log.connection.execute(FEED, (ids, times, [UUID(workflow["id"])] * count))
    return rows


def row_of(page: Page, text: str) -> Any:
    """Return the row of a list that has a text."""
    return page.get_by_role("row").filter(has_text=text)


async def test_the_list_says_what_ran_what_did_not_and_what_it_is_filtered_by(
    visit: Visit, api: Api, log: Log, somebody: Any
) -> None:
    """Filters by workflow, status and time are in the address and in words; it is exported as it is shown."""
    who, user = await person(api, somebody)
    big, other = await user.create(name=f"Big orders {MARKUP}"), await user.create(name="Welcome")
    await log.add(big, status="failed", error=f"the shop said {MARKUP}", at=minutes_ago(3), entity="c-1")
    await log.add(big, status="skipped", attempt=0, met=False, at=minutes_ago(60 * 30), entity="c-2")
    await log.add(other, at=minutes_ago(2), entity="c-3")
    async with visit(who) as window:
        page = window.page
        await window.go("/executions")
        await expect(row_of(page, "c-3")).to_contain_text("Succeeded")
        await expect(row_of(page, "c-1")).to_contain_text(f"The shop said {MARKUP}")
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await looked_at_by_all(window, "executions")
        await page.get_by_label("Workflow").select_option(label=f"Big orders {MARKUP}")
        await page.get_by_label("Failed", exact=True).check()
        await page.get_by_role("combobox", name="Time").select_option(label="Last 24 hours")
        await page.get_by_role("button", name="Show", exact=True).click()
        await expect(page.get_by_text("that failed, in the last 24 hours")).to_be_visible()
        await expect(page.get_by_role("row")).to_have_count(2)
        export = await page.get_by_role("link", name="CSV").get_attribute("href")
        assert export is not None
        answer = await page.request.get(window.url + export)
        assert answer.ok
        assert ",c-1," in (text := await answer.text())
        assert ",c-2," not in text  # an id may hold it, too
        assert ",c-3," not in text


async def test_times_are_the_viewers_and_an_empty_list_says_what_to_do(visit: Visit, api: Api, somebody: Any) -> None:
    """What is entered as a local time is asked for in UTC, and shown as it was entered; without scripts it is UTC."""
    who, _ = await person(api, somebody)
    async with visit(who) as window:
        page = window.page
        await window.go("/executions")
        await expect(page.get_by_role("heading", name="Nothing has run yet")).to_be_visible()
        await page.get_by_text("More filters").click()
        await page.get_by_label("From").fill("2026-03-01T09:00")
        await page.get_by_role("button", name="Show", exact=True).click()
        await expect(page.get_by_text("from 1 Mar 2026, 09:00:00")).to_be_visible()
        await expect(page.get_by_label("From")).to_have_value("2026-03-01T09:00")
        await expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
        await window.looked_at("executions-empty")
    async with visit(who, scripts=False) as window:
        await window.go("/executions?status=failed,nonsense")
        await expect(window.page.get_by_role("alert")).to_contain_text("nonsense")
        await window.page.get_by_text("More filters").click()
        await window.page.get_by_label("From (UTC)").fill("2026-03-01T09:00")
        await window.page.get_by_role("button", name="Show", exact=True).click()
        await expect(window.page.get_by_text("from 2026-03-01 09:00:00 UTC")).to_be_visible()


async def test_new_executions_come_in_on_top_but_not_while_somebody_reads(
    visit: Visit, api: Api, log: Log, somebody: Any
) -> None:
    """What ends is there within seconds; while the mouse rests on the list it is counted, and shown when asked for."""
    who, user = await person(api, somebody)
    workflow = await user.create(name="Big orders")
    await log.add(workflow, entity="c-old", at=minutes_ago(3))
    async with visit(who) as window:
        page = window.page
        await window.go("/executions")
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await told(log, workflow, entity="c-new", status="failed", error=MARKUP)
        await expect(row_of(page, "c-new")).to_contain_text(MARKUP)
        await expect(page.get_by_role("row").nth(1)).to_contain_text("c-new")
        await row_of(page, "c-old").hover()
        await told(log, workflow, 12, entity="c-held")
        more = page.get_by_role("button", name="12 new, show")
        await expect(more).to_be_visible()
        await expect(row_of(page, "c-held")).to_have_count(0)
        await window.looked_at("executions-held")
        await more.hover()
        await told(log, workflow, entity="c-held")
        more = page.get_by_role("button", name="13 new, show")
        await more.click()
        await expect(row_of(page, "c-held")).to_have_count(13)
        await expect(more).to_be_hidden()
        await page.get_by_label("Choose Big orders").first.check()
        await told(log, workflow, entity="c-later")
        await expect(page.get_by_role("button", name="1 new, show")).to_be_visible()


async def test_what_could_not_be_loaded_is_said_until_it_is(visit: Visit, api: Api, log: Log, somebody: Any) -> None:
    """Who comes back to the page is not told that it is live while what came meanwhile is missing."""
    who, user = await person(api, somebody)
    workflow = await user.create(name="Big orders")
    listed = re.compile(r"/api/v1/executions\?")
    async with visit(who) as window:
        page = window.page
        await window.go("/executions")
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await page.route(listed, lambda route: route.fulfill(status=503, json={"detail": "The database is away"}))
        seen = """(hidden) => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
        await page.evaluate(seen, True)
        await log.add(workflow, entity="c-meanwhile")
        await page.evaluate(seen, False)
        await expect(page.get_by_text("could not be loaded, trying again: The database is away")).to_be_visible()
        await page.unroute(listed)
        await expect(row_of(page, "c-meanwhile")).to_be_visible()
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        window.wrong[:] = [one for one in window.wrong if "status of 503" not in one]


async def test_a_live_list_keeps_to_its_length(visit: Visit, api: Api, log: Log, somebody: Any) -> None:
    """However many end: the newest stand on top, the others are a page away. How fast is ``make bench-pages``."""
    who, user = await person(api, somebody)
    workflow = await user.create(name="Big orders")
    async with visit(who) as window:
        page = window.page
        await window.go("/executions")
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        for _ in range(10):
            await told(log, workflow, 100, entity="c-many")
        await told(log, workflow, entity="c-last")
        await expect(row_of(page, "c-last")).to_be_visible()
        await expect(page.get_by_role("row")).to_have_count(51)


async def test_an_execution_explains_itself(visit: Visit, api: Api, log: Log, somebody: Any) -> None:
    """One sentence on top; each verdict with what was seen; each step with its attempts, and what it sent."""
    who, user = await person(api, somebody)
    workflow = await user.create(name=f"Big orders {MARKUP}", actions=ACTIONS)
    cause = await log.add(workflow, at=minutes_ago(9))
    event = {
        "specversion": "1.0", "id": "e-9", "source": "/shop", "type": "order.paid", "subject": "c-1",
        "causation": f"{workflow['id']}/{cause['id']},{uuid4()}/{uuid4()}",
        "data": {"order": {"total": 640, "note": MARKUP}, "customer": {"id": "c-1"}},
    }  # fmt: skip
    results = [
        {"step": 0, "action_type": "apply_tag", "status": "success", "executed_at": minutes_ago(5).isoformat(),
         "attempts": 3, "uncertain": True, "duration_ms": 1800, "output": {"said": MARKUP}},
        {"step": 1, "action_type": "apply_tag", "status": "failed", "error": "the CRM said no", "attempts": 4,
         "executed_at": minutes_ago(5).isoformat()},
        {"step": 2, "action_type": "apply_tag", "status": "skipped", "executed_at": minutes_ago(5).isoformat(),
         "error": "not run, because step 1 failed and its on_error is stop"},
    ]  # fmt: skip
    verdicts = [{**one, "met": True, "actual": 640} if one["path"] == "order.total" else one for one in VERDICTS]
    one = await log.add(
        workflow, event=event, event_id="e-9", verdicts=verdicts, results=results, status="failed", at=minutes_ago(5)
    )
    led = {**event, "id": "e-10", "causation": f"{event['causation']},{workflow['id']}/{one['id']}"}
    await log.add(workflow, event=led, event_id="e-10", status="blocked", attempt=0, at=minutes_ago(4))
    async with visit(who) as window:
        page = window.page
        await window.go(f"/executions/{one['id']}")
        assert await window.heading() == f"Big orders {MARKUP}"
        await expect(page.get_by_text("Ran, because its conditions were met").first).to_be_visible()
        await expect(page.get_by_text("Step 2 (Put a tag on the customer) failed: the CRM said no")).to_be_visible()
        await expect(page.get_by_text("Met: order total is 640, more than 100")).to_be_visible()
        await expect(page.get_by_text("took 1.8 s · 3 attempts")).to_be_visible()
        await expect(page.get_by_text("Uncertain: a process ended")).to_be_visible()
        await expect(page.get_by_text("because step 2 failed and the workflow ends there").last).to_be_visible()
        chain = page.get_by_role("region", name="What led to what")
        await expect(chain.get_by_text("gone, or not yours to see")).to_be_visible()
        await expect(chain.get_by_text("Blocked")).to_be_visible()
        await page.get_by_role("link", name="Show what each step sent").click()
        await page.get_by_text("What it sent").first.wait_for()
        await expect(page.get_by_text('"tag": "t0"').first).to_be_visible()
        await page.get_by_text("As JSON").click()
        await expect(page.get_by_role("button", name="Copy").last).to_be_visible()
        await looked_at_by_all(window, "execution")
        await expect(page.get_by_role("link", name="Open the event")).to_have_attribute("href", EVENT)
        await chain.get_by_role("link", name="Big orders").first.click()
        await expect(page.get_by_text("every such event starts it")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
async def test_what_failed_is_retried_one_or_many(
    visit: Visit, api: Api, log: Log, somebody: Any, *, scripts: bool
) -> None:
    """Chosen in the list, or one in full; what cannot be retried says why; the next attempt is on its way."""
    who, user = await person(api, somebody)
    rows = [await failed(user, log, "success", "failed") for _ in range(3)]
    off = await failed(user, log, "failed", active=False)
    await log.add({"id": rows[0]["workflow"]}, entity="c-fine")
    async with visit(who, scripts=scripts) as window:
        page = window.page
        await window.go("/executions?status=partial")
        boxes = page.get_by_role("checkbox", name=re.compile("^Choose Big order for"))
        await expect(boxes).to_have_count(4)
        for row in rows[:2]:
            await page.locator(f"[value='{row['id']}']").check()
        await page.get_by_role("button", name="Retry").click()
        await expect(page.get_by_role("status").first).to_contain_text("2 executions will be retried")
        await expect(page.get_by_text("that partly failed")).to_be_visible()
        for row in (rows[0], off):
            await page.locator(f"[value='{row['id']}']").check()
        await page.get_by_role("button", name="Retry").click()
        assert await window.heading() == "2 executions could not be retried"
        names = page.get_by_role("main").get_by_role("listitem").get_by_role("link")
        await expect(names).to_have_text([re.compile("^Big order for c-")] * 2)
        await expect(page.get_by_text("Attempt 2 is on its way already")).to_be_visible()
        await expect(page.get_by_text("The workflow is inactive or deleted")).to_be_visible()
        expect_status(window, 409)
        if scripts:
            await window.looked_at("executions-refused")
        await window.go(f"/executions/{rows[2]['id']}")
        await page.get_by_role("button", name="Retry from the step that failed").click()
        await page.wait_for_url("**did=retried-2")
        await expect(page.get_by_text("Attempt 2 is on its way")).to_be_visible()
        if scripts:
            await window.looked_at("execution-retried")
            asked = f"**/api/v1/executions/{rows[2]['id']}"
            await page.route(asked, lambda route: route.abort())
            await expect(page.get_by_text("could not be looked up, trying again: The server cannot")).to_be_visible()
            await page.unroute(asked)
            await expect(page.get_by_text("is on its way")).to_be_visible()
            window.wrong[:] = [one for one in window.wrong if "ERR_FAILED" not in one]
            ended = "UPDATE automation_logs SET attempt = 2, status = 'success' WHERE id = %s"
            await log.connection.execute(ended, (rows[2]["id"],))
            await expect(page.get_by_text("is on its way")).to_be_hidden()
            await expect(page.get_by_role("status").first).to_contain_text("It was retried. Attempt 2 has ended")
            await expect(page.get_by_text("· attempt 2")).to_be_visible()


async def test_what_waits_says_where_it_stands_and_can_be_cancelled(
    visit: Visit, api: Api, api_database: str, somebody: Any
) -> None:
    """The step in words, what comes then, and when; cancelling asks first, in words that name the thing."""
    who, user = await person(api, somebody)
    workflow = await user.create(name="Remind them")
    await wait(api_database, UUID(workflow["id"]), 90, "c-1")
    await wait(api_database, UUID(workflow["id"]), 5, "c-2")
    async with visit(who) as window:
        page = window.page
        await window.go("/executions/waiting")
        await expect(row_of(page, "c-1")).to_contain_text("Step 2: Wait, then step 3: Put a tag on the customer")
        await looked_at_by_all(window, "waiting")
        await page.get_by_role("button", name="Cancel Remind them for c-1").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Cancel the steps that remain of “Remind them” for c-1?")
        await dialog.get_by_role("button", name="Leave it").click()
        await expect(row_of(page, "c-1")).to_be_visible()


async def test_it_is_cancelled_without_scripts_too(visit: Visit, api: Api, api_database: str, somebody: Any) -> None:
    """One, and several that were chosen; a record of a step that really waits is what ends."""
    who, user = await person(api, somebody)
    workflow_id = await cancelling.workflow_of(user)
    ids = [cancelling.a_command(workflow_id) for _ in range(3)]
    for one in ids:
        await cancelling.wait(api_database, one, "delay", done=1)
    async with visit(who, scripts=False) as window:
        page = window.page
        await window.go("/executions/waiting")
        await page.get_by_role("button", name="Cancel Big order for").first.click()
        assert await window.heading() == "Are you sure?"
        await page.get_by_role("link", name="Leave it").click()
        await expect(page.get_by_role("row")).to_have_count(len(ids) + 1)
        await page.get_by_role("button", name="Cancel Big order for").first.click()
        await page.get_by_role("button", name="Yes, go on").click()
        await expect(page.get_by_role("status").first).to_contain_text("Cancelled.")
        await expect(page.get_by_role("row")).to_have_count(len(ids))
        for box in await page.get_by_role("checkbox", name="Choose Big order").all():
            await box.check()
        await page.get_by_role("button", name="Cancel those chosen").click()
        await page.get_by_role("button", name="Yes, go on").click()
        await expect(page.get_by_role("heading", name="Nothing waits")).to_be_visible()
