"""Events as a person looks at them: what came, what each workflow made of it, what is said where nothing is known."""

import gzip
import random
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from urllib.parse import urlencode
from uuid import UUID, uuid4

import orjson
import pytest
from playwright.async_api import Page, expect

from app.admin.auth import mint_token
from app.admin.pages.events.fates import FATES, conditions_of, rows_of
from app.admin.pages.events.tree import MOST_LINES, lines_of
from app.domain.ids import execution_id
from app.services.operations.event_report import EventReport, Verdict, WorkflowVerdict
from schemas.event_types import event_group
from tests.admin.conftest import Api, User
from tests.admin.log import Log
from tests.admin.pages.conftest import EACH_LOOK, Somebody, Visit
from tests.support.sessions import SignedIn

# Within two seconds of a change nobody knows which version of a workflow was asked.
LATER_S = 5
PAGE_BYTES = 100_000
MARKUP = "<img src=x onerror=alert(1)>"
CUSTOMER = {"id": "c-1", "name": MARKUP, "spent": 40, "city": "Rio de Janeiro", "tags": ["newsletter"]}


def user_of(api: Api, who: SignedIn) -> User:
    """Return who is signed in as one who calls the API."""
    return User(api.client, mint_token(api.settings, who.id, "user", 600), who.id)


def put(api: Api, **changes: Any) -> dict[str, Any]:
    """Put an event into a topic, and return it."""
    event = {
        "specversion": "1.0", "id": uuid4().hex, "source": "/shop", "type": "tag.applied", "subject": "c-1",
        "time": "2026-03-01T12:00:00Z", "data": {"tag": "newsletter", "customer": CUSTOMER}, **changes,
    }  # fmt: skip
    topic = f"t.events.{event_group(event['type'])}"
    api.event_topics.put(topic, event["subject"].encode(), orjson.dumps(event), at=time.time() + LATER_S)
    return event


async def switched_on(user: User, **changes: Any) -> dict[str, Any]:
    """Make a workflow, and switch it on."""
    made = await user.create(**{"trigger": {"type": "tag.applied"}, "conditions": [], **changes})
    assert (await user.call("POST", f"/api/v1/workflows/{made['id']}/activate")).status == 200
    return made


async def one_of_each(api: Api, log: Log, user: User) -> dict[str, Any]:
    """Make an event, and a workflow for each thing that may become of it; return the event."""
    spent = [{"field": "customer.spent", "operator": ">", "value": 100}]
    ran = await switched_on(user, name=f"Thank them {MARKUP}")
    again = await switched_on(user, name="Welcome once")
    loop = await switched_on(user, name="Tag whoever is tagged")
    await switched_on(user, name="Big spenders", conditions=spent)
    await switched_on(user, name="VIPs only", trigger={"type": "tag.applied", "config": {"tag": "VIP"}})
    await user.create(name="Not switched on", trigger={"type": "tag.applied"}, conditions=[])
    event = put(api)
    entered = "this entity entered the workflow at 2026-02-03T10:00:00.000Z, and may enter it once"
    at = datetime.now(UTC) + timedelta(seconds=LATER_S)
    facts = {"event": event, "event_id": event["id"], "event_type": event["type"], "at": at}
    for workflow, row in (
        (ran, {"status": "success"}),
        (again, {"status": "skipped", "error": entered, "attempt": 0}),
        (loop, {"status": "blocked", "error": "the workflow would trigger itself again", "attempt": 0}),
    ):
        named = execution_id(UUID(workflow["id"]), event["source"], event["id"])
        await log.add(workflow, id=named, **facts, **row)
    return event


async def said_of(page: Page, workflow: str) -> str:
    """Return what is said of one workflow."""
    return await page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=workflow)).inner_text()


@pytest.mark.parametrize("look", EACH_LOOK)
async def test_an_event_says_why_each_workflow_ran_or_did_not(
    visit: Visit, api: Api, log: Log, somebody: Somebody, look: dict[str, bool]
) -> None:
    """From the list to the event, and from there to the execution: a row for every workflow, with its reason."""
    who = await somebody()
    await one_of_each(api, log, user_of(api, who))
    async with visit(who, **look) as window:
        page = window.page
        await window.go("/events")
        await expect(page.get_by_role("row").filter(has_text="c-1")).to_contain_text("1 ran")
        await expect(page.get_by_role("row").filter(has_text="c-1")).to_contain_text("5 did not run")
        await window.looked_at("events")
        await page.get_by_role("link", name="A tag is applied").click()
        assert await window.heading() == "A tag is applied"
        assert "Succeeded" in await said_of(page, f"Thank them {MARKUP}")
        assert "customer spent is 40, not more than 100" in await said_of(page, "Big spenders")
        assert 'tag "VIP"' in await said_of(page, "VIPs only")
        once = await said_of(page, "Welcome once")
        assert "May not enter again" in once
        assert "c-1 entered 3 Feb 2026, 07:00:00, and may enter once." in once
        assert "Blocked as a loop" in await said_of(page, "Tag whoever is tagged")
        assert "Switched off" in await said_of(page, "Not switched on")
        await expect(page.get_by_text(MARKUP, exact=True)).to_be_visible()  # the customer's name, as it is
        await window.looked_at("event")
        await page.get_by_role("link", name="Open the execution").click()
        await expect(page).to_have_url(re.compile("/executions/"))


async def test_an_event_leads_to_a_workflow_that_is_tried_or_made(visit: Visit, api: Api, somebody: Somebody) -> None:
    """The event is chosen on both ways; where there is no workflow for it, the page says so."""
    who = await somebody()
    event = put(api, type="tag.removed")
    chosen = urlencode({"event_source": event["source"], "event_id": event["id"]})
    await switched_on(user_of(api, who), name="Sorry to see it go", trigger={"type": "tag.applied"})
    other = put(api)
    async with visit(who) as window:
        page = window.page
        await window.go(f"/events/one?{urlencode({'source': event['source'], 'id': event['id']})}")
        await expect(page.get_by_role("heading", name="No workflow waits for this")).to_be_visible()
        for link in await page.get_by_role("link", name="Make a workflow from this").all():
            assert await link.get_attribute("href") == f"/workflows/new?{chosen}"
        await window.go(f"/events/one?{urlencode({'source': other['source'], 'id': other['id']})}")
        await page.get_by_role("link", name="Try this workflow with this event").click()
        assert await window.heading() == "Sorry to see it go"
        await expect(page.get_by_label("Event", exact=True)).to_contain_text(f"The one you came from ({other['id']})")
        await page.get_by_role("button", name="Try it").click()
        await expect(page.get_by_role("region", name="What would happen")).to_contain_text(other["id"])


async def test_the_newest_are_filtered_without_scripts(visit: Visit, api: Api, somebody: Somebody) -> None:
    """By type and customer, in the address and in words; what does not fit is said to be none."""
    who = await somebody()
    put(api)
    put(api, type="custom.signup", subject="<script>alert(1)</script>")
    async with visit(who, scripts=False) as window:
        page = window.page
        await window.go("/events")
        await page.get_by_label("Type").fill("custom.signup")
        await page.get_by_role("button", name="Show").click()
        await expect(page.get_by_text("Shown are those of the type custom.signup")).to_be_visible()
        await expect(page.get_by_role("link", name="<script>alert(1)</script>")).to_be_visible()
        await expect(page.get_by_role("link", name="A tag is applied")).to_have_count(0)
        await page.get_by_label("Customer").fill("nobody")
        await page.get_by_role("button", name="Show").click()
        await expect(page.get_by_role("heading", name="Nothing of that came")).to_be_visible()
        await page.get_by_role("link", name="Show all events").click()
        await expect(page.get_by_role("row")).to_have_count(3)


async def test_what_is_not_known_is_not_said_to_be_absent(visit: Visit, api: Api, log: Log, somebody: Somebody) -> None:
    """``No such event`` only where all was read; a broker that is down is said; an id alone is found over the log."""
    who = await somebody()
    workflow = await user_of(api, who).create()
    event = put(api, id=f"known-{uuid4().hex}")
    await log.add(workflow, event=event, event_id=event["id"])
    absent = f"/events/one?{urlencode({'source': '/shop', 'id': 'absent'})}"
    async with visit(who) as window:
        page = window.page
        await window.go(f"/events/{event['id']}")
        assert await window.heading() == "A tag is applied"
        await window.go("/events/never-seen")
        assert await window.heading() == "Where did it come from?"
        await window.go(absent)
        assert await window.heading() == "No such event"
        await expect(page.get_by_text("everything since then was read")).to_be_visible()
        for number in range(180):
            put(api, id=f"filler-{number}", data={"text": "x" * 250_000})
        await window.go(absent)
        assert await window.heading() == "Not found so far"
        await page.get_by_role("link", name="Go on looking").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("No such event")
        api.event_topics.reachable = False
        for path in ("/events", absent):
            await window.go(path)
            await expect(page.get_by_role("alert")).to_contain_text("so nothing can be said", ignore_case=True)
        await expect(page.get_by_text("No event has come yet")).to_have_count(0)
        await window.looked_at("event-unreachable")
        window.wrong[:] = [one for one in window.wrong if "status of 404" not in one and "status of 503" not in one]


def test_every_verdict_has_a_word_of_its_own() -> None:
    """What the service may say of a workflow, a page can show; no two look alike."""
    assert set(FATES) == set(get_args(Verdict))
    assert len({one.meaning for name, one in FATES.items() if name not in {"inactive", "activated_later"}}) == 14


def test_what_else_may_be_the_reason_is_shown() -> None:
    """The page has its own words for the reason; what is said beside it stays."""
    why = "By the event's time the workflow was not there yet. If it came later than its time says, as replays do: So."
    one = WorkflowVerdict(workflow_id=uuid4(), workflow_name="w", verdict="no_workflow_then", why=why, basis="judged")
    report = EventReport(
        topic="t", partition=0, offset=1, received_at=None, id="1", source="/s", type="t", entity=None, size=1,
        event=None, fate="read", workflows=[one],
    )  # fmt: skip
    (row,) = rows_of(report)
    assert row.why == (
        "It was not there yet at the event's time. If it came later than its time says, as replays do: So."
    )


def test_conditions_are_said_with_what_was_seen_and_how_deep_they_stand() -> None:
    """A group's members stand below it; fields and values are said as the editor says them."""
    verdicts: list[dict[str, Any]] = [
        {"operator": "any", "at": "[0]", "met": False, "path": "conditions[0]", "reason": "none of 1 holds"},
        {"operator": ">", "at": "[0].any[0]", "path": "order.total", "actual": 40, "expected": 100, "met": False,
         "reason": "compared as numbers"},
        {"operator": "==", "at": "[1]", "path": "customer.is_new", "actual": True, "expected": None, "met": False},
        {"operator": "in", "at": "[2]", "path": "customer.state", "actual": None, "expected": [False, "true"],
         "met": False, "reason": "looked up in the list"},
    ]  # fmt: skip
    assert [tuple(one) for one in conditions_of(verdicts)] == [
        (False, "At least one of these:", 0),
        (False, "order total is 40, not more than 100", 1),
        (False, "customer is new is yes, not empty", 0),
        (False, 'customer state is empty, none of no or "true"', 0),
    ]


@pytest.mark.parametrize("value", [{"a": [1, {"b": None}], "c": {}}, [[[]]], "text", {str(n): [n] for n in range(900)}])
def test_what_opens_in_a_tree_is_closed_again(value: Any) -> None:
    """Also where it is cut, because there is more than a browser lays out at once."""
    kinds = [line.kind for line in lines_of(value)]
    assert kinds.count("open") == kinds.count("close")
    assert len(kinds) - kinds.count("close") - kinds.count("cut") <= MOST_LINES
    assert kinds.count("cut") == (1 if isinstance(value, dict) and len(value) == 900 else 0)


# Of more than 64 KiB the page of an event has no more than how much it is.
@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("shape", ["one long text", "many short ones", "long names"])
async def test_a_page_stays_light_whatever_an_event_holds(
    visit: Visit, api: Api, log: Log, somebody: Somebody, *, shape: str, times: int
) -> None:
    """Of 200 kB the beginning is shown, with how much there is, and where all of it is."""
    who = await somebody("user", "crm:read")
    user = user_of(api, who)
    shapes: dict[str, dict[str, Any]] = {
        "one long text": {"text": random.Random(1).randbytes(25_000 * times).hex()},
        "many short ones": {f"{at}": random.Random(at).randbytes(20 * times).hex() for at in range(1000)},
        "long names": {random.Random(at).randbytes(5_000 * times).hex(): at for at in range(5)},
    }
    data = shapes[shape]
    event = put(api, data={"customer": CUSTOMER, **data})
    workflow = await switched_on(user)
    result = {"step": 0, "action_type": "webhook", "status": "success", "error": None, "attempts": 1,
              "output": data, "executed_at": "2026-03-01T12:00:00Z", "duration_ms": 1, "verdicts": []}  # fmt: skip
    facts = {"event": event, "event_id": event["id"], "event_type": event["type"], "at": datetime.now(UTC)}
    row = await log.add(workflow, results=[result], **facts)
    async with visit(who, scripts=False) as window:
        paths = [f"/events/one?{urlencode({'source': '/shop', 'id': event['id']})}", f"/executions/{row['id']}"]
        for path in paths:
            answer = await window.page.goto(window.url + path)
            assert answer is not None
            assert len(gzip.compress(await answer.body())) < PAGE_BYTES, path
            if times > 1 and path == paths[0]:
                await expect(window.page.get_by_text("It is too large to be shown here")).to_be_visible()
                continue
            await window.page.locator("summary", has_text=re.compile("As JSON")).click()
            await expect(window.page.get_by_text(re.compile("These are the first 20,000 of")).last).to_be_visible()
            await window.page.get_by_role("link", name="All of it, as JSON").last.click()
            assert next(iter(data)) in await window.page.inner_text("body")
