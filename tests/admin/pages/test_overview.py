"""The overview as a person sees it: one true sentence, the day in figures, what fails, and what ran last, live."""

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.async_api import expect

from tests.admin.conftest import Api
from tests.admin.log import Log
from tests.admin.pages.conftest import Visit
from tests.admin.pages.looks import looked_at_by_all
from tests.admin.pages.people import person
from tests.admin.pages.test_executions import told

MARKUP = "<img src=x onerror=alert(1)>"


def ago(**by: float) -> datetime:
    """A moment so long ago."""
    return datetime.now(UTC) - timedelta(**by)


async def test_it_says_what_is_wrong_and_leads_there(visit: Visit, api: Api, log: Log, somebody: Any) -> None:
    """A workflow that fails is named in the sentence, in the list with its commonest error, and shown by a link."""
    await log.connection.execute("DELETE FROM outbox")  # which no relay sends on here, so that it would be late
    who, user = await person(api, somebody)
    workflow = await user.create(name=f"Big orders {MARKUP}")
    for hour in range(20):
        await log.add(workflow, at=ago(hours=hour, minutes=5), duration=30 + hour * 40)
    for number in range(3):
        await log.add(workflow, at=ago(minutes=9), status="failed", error=f"{MARKUP} was answered 503, try {number}")
    async with visit(who) as window:
        page = window.page
        await window.go("/")
        sentence = page.get_by_role("region", name="How it goes")
        await expect(sentence).to_have_text(f"“Big orders {MARKUP}” is failing: 3 executions within the last hour.")
        day = page.get_by_role("region", name="The last 24 hours")
        await expect(day.get_by_role("listitem").filter(has_text="Executions")).to_contain_text("23")
        await expect(day.get_by_role("listitem").filter(has_text="Succeeded")).to_contain_text("87%")
        await expect(day.get_by_role("img", name="By hour: at most 4, at least 0")).to_be_visible()
        await expect(page.get_by_role("region", name="What fails most")).to_contain_text("was answered 503")
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await told(log, workflow, entity="c-live")
        await expect(page.get_by_role("row").filter(has_text="c-live")).to_be_visible()
        await looked_at_by_all(window, "overview")
        await sentence.get_by_role("link").click()
        await expect(
            page.get_by_text("that failed or partly failed or timed out, in the last 24 hours")
        ).to_be_visible()
        await expect(page.get_by_role("row")).to_have_count(4)


async def test_everything_flows_where_nothing_is_wrong(visit: Visit, api: Api, log: Log, somebody: Any) -> None:
    """Also without scripts, and before anything has run."""
    await log.connection.execute("DELETE FROM outbox")
    who, _ = await person(api, somebody)
    async with visit(who, scripts=False) as window:
        await window.go("/")
        await expect(window.page.get_by_text("Everything flows.")).to_be_visible()
        await expect(window.page.get_by_text("Nothing has failed in the last 24 hours.")).to_be_visible()
        await expect(window.page.get_by_role("heading", name="Nothing has run yet")).to_be_visible()
    async with visit(who) as window:
        await window.go("/")
        await expect(window.page.get_by_text("Live", exact=True)).to_be_visible()
        await looked_at_by_all(window, "overview-empty")


async def test_what_could_not_be_brought_up_to_date_says_so(visit: Visit, api: Api, somebody: Any) -> None:
    """A page that stays open says that it may be old, until it could be loaded again."""
    who, _ = await person(api, somebody)
    async with visit(who) as window:
        page = window.page
        await page.clock.install()
        await window.go("/")
        stale = page.get_by_text("it says may be old")
        await expect(stale).to_be_hidden()
        await page.route(f"{window.url}/", lambda route: route.fulfill(status=503))
        await page.clock.fast_forward("01:01")
        await expect(stale).to_be_visible()
        await page.unroute(f"{window.url}/")
        await page.clock.fast_forward("01:01")
        await expect(stale).to_be_hidden()
        window.wrong[:] = [one for one in window.wrong if "status of 503" not in one]
