"""Trying a workflow: on a sample, on what was pasted, on what really came; and, as a second step, for real."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import orjson
import pytest
from playwright.async_api import expect

from app.admin.auth import mint_token
from tests.admin.conftest import Api, User, draft
from tests.admin.log import Log
from tests.admin.pages.bench import on_bench
from tests.admin.pages.conftest import EACH_LOOK, Visit
from tests.admin.pages.looks import looked_at_by_all
from tests.admin.test_event_verdicts import put
from tests.support.waiting import eventually

CONDITIONS = [
    {"field": "order.total", "operator": ">", "value": 1000},
    {"field": "customer.state", "operator": "in", "value": ["SP", "RJ"]},
]
ACTIONS = [
    {"type": "send_email", "order": 1, "config": {"subject": "Thank you, {{ customer.name }}", "text": "Dear Ana"}},
    {"type": "apply_tag", "order": 2, "config": {"tag": "{{ customer.nick }}"}},
    {"type": "create_note", "order": 3, "config": {"text": "Big <b>order</b>"}, "conditions": [
        {"field": "order.status", "operator": "==", "value": "lost"}]},
]  # fmt: skip
RICH = {
    "customer": {"id": "c-1", "name": "Ana", "email": "ana@example.com", "state": "SP"},
    "order": {"total": 1200, "status": "paid"},
}


def tried(workflow: dict[str, Any]) -> str:
    """What the page's draft is, as JavaScript."""
    return f"{{ draft: () => ({orjson.dumps(workflow).decode()}) }}"


@pytest.mark.parametrize("look", EACH_LOOK)
async def test_a_trial_shows_what_would_happen_and_why(
    visit: Visit, somebody: Callable[..., Any], look: dict[str, bool]
) -> None:
    """Each condition with what it saw, each step with what it would send, fail by or be skipped for."""
    who = await somebody()
    async with visit(who, **look) as window:
        page = window.page
        await on_bench(window, who, "try-it", tried(draft(conditions=CONDITIONS, actions=ACTIONS)))
        await page.get_by_role("radio", name="A sample").check()
        await page.get_by_role("button", name="Try it").click()
        result = page.get_by_role("region", name="What would happen")
        await expect(result).to_be_focused()
        await expect(result.get_by_text("Not met: order total is more than 1,000: it is “199.00”")).to_be_visible()
        await expect(result.get_by_text("Met: customer state is one of “SP” or “RJ”")).to_be_visible()
        await page.get_by_role("radio", name="One that I paste").check()
        await page.get_by_label("The event as JSON").fill("{ no json")
        await page.get_by_role("button", name="Try it").click()
        await expect(page.get_by_text("This is no JSON")).to_be_visible()
        await expect(page.get_by_role("region", name="What would happen")).to_be_hidden()
        await page.get_by_label("The event as JSON").fill(orjson.dumps(RICH).decode())
        await page.get_by_role("button", name="Try it").click()
        await expect(result).to_be_focused()
        first, second, third = await result.get_by_role("heading", level=5).filter(has_text="Step").all()
        await expect(first).to_contain_text("Send an e-mail Would happen")
        await expect(result.get_by_text("Goes to ana@example.com")).to_be_visible()
        await expect(result.get_by_text("Subject: Thank you, Ana")).to_be_visible()
        await expect(second).to_contain_text("Would fail")
        await expect(result.get_by_text("Tag: there is no customer nick.")).to_be_visible()
        await expect(result.get_by_text("It would run: 1 of 3 steps would happen, and 1 would fail.")).to_be_visible()
        await expect(third).to_contain_text("Would not happen")
        await expect(result.get_by_text("Big <b>order</b>")).to_be_visible()
        await expect(page.get_by_role("button", name="Run for real")).to_have_count(0)
        await looked_at_by_all(window, "try-it")


async def test_a_draft_with_mistakes_is_not_tried(visit: Visit, somebody: Callable[..., Any]) -> None:
    """What is wrong is said, each with its place; the one event that there is not is said too."""
    who = await somebody()
    wrong = draft(actions=[{"type": "apply_tag", "order": 1, "config": {}}])
    async with visit(who) as window:
        page = window.page
        await on_bench(window, who, "try-it", tried(wrong))
        await page.get_by_role("button", name="Try it").click()
        await expect(page.get_by_role("alert")).to_contain_text("no recent event")
        await page.get_by_role("radio", name="A sample").check()
        await page.get_by_role("button", name="Try it").click()
        await expect(page.get_by_role("alert")).to_contain_text("Do, step 1, tag: Fill this in")
        window.wrong = [one for one in window.wrong if "400" not in one]


async def test_what_really_came_is_tried_and_run_for_real(
    visit: Visit, somebody: Callable[..., Any], api: Api, log: Log
) -> None:
    """A recent event and a customer's last one, of one's own log; for real after a question, and what is live."""
    who = await somebody()
    user = User(api.client, mint_token(api.settings, who.id, "user", 600), who.id)
    kind = f"custom.t{uuid4().hex[:12]}"
    workflow = await user.create(trigger={"type": kind}, conditions=[], actions=ACTIONS[:1])
    assert (await user.call("POST", f"/api/v1/workflows/{workflow['id']}/activate")).status == 200
    event = {"specversion": "1.0", "id": uuid4().hex, "source": "/shop", "type": kind, "subject": "c-7", "data": RICH}
    await log.add(workflow, event=event, event_id=event["id"], event_type=kind, entity="c-7")
    put(api, kind, data=RICH)
    mine = draft(name="Thanks", trigger={"type": kind}, conditions=[], actions=ACTIONS[:1])
    async with visit(who) as window:
        page = window.page
        await on_bench(window, who, "try-it", tried(mine), f'workflow="{workflow["id"]}"')
        await page.get_by_role("radio", name="A customer's last one").check()
        await page.get_by_label("Customer's id").fill("c-8")
        await page.get_by_role("button", name="Try it").click()
        await expect(page.get_by_text("of c-8 was found")).to_be_visible()
        await page.get_by_role("radio", name="A recent event").check()
        await expect(page.get_by_label("Event", exact=True)).to_contain_text("c-1, ")
        await page.get_by_role("radio", name="A customer's last one").check()
        await page.get_by_label("Customer's id").fill("c-7")
        await page.get_by_role("button", name="Try it").click()
        await page.get_by_role("button", name="Run for real for c-7").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("“Thanks” runs for real for c-7, and may reach ana@example.com")
        await dialog.get_by_role("button", name="Leave it").click()
        assert api.sender.records == []
        await page.get_by_role("button", name="Run for real for c-7").click()
        await dialog.get_by_role("button", name="Run for real for c-7").click()
        await expect(page.get_by_role("status").get_by_text("on its way")).to_be_visible()
        await eventually(lambda: len(api.sender.records) == 1)
        sent = orjson.loads(api.sender.records[0].value or b"")
        assert (sent["data"], sent["subject"], sent["workflowid"]) == (RICH, "c-7", workflow["id"])
        row = {"event": sent, "event_id": sent["id"], "event_type": kind, "entity": "c-7"}
        await log.add(workflow, **row)
        await page.get_by_role("link", name="See what happened").wait_for()


TOTAL = "order total is more than 1,000: it is 2,000"


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ({"data": {"order": {"total": 2000}}}, TOTAL),
        ({"data": {"order": {"total": 2000}}, "subject": "c-1", "source": "/shop"}, TOTAL),
        ({"order": {"total": 2000}}, TOTAL),
        ({"data": {"order": {"total": 2000}}, "order": {"total": 2}}, "order total is more than 1,000: it is 2"),
        (
            '{"order": {"total": 1, "t\\u006ftal": 2000}}',
            "“order.total” is there more than once in its object: leave one",
        ),
        (
            '{"items": [{"a": [1, "x,{"]}, {"b": 1, "b": 2}]}',
            "“items[1].b” is there more than once in its object: leave one",
        ),
        ('[{"a": 1, "b": {"a": "{\\"a\\": 1, "}}, {"a": 1}]', "it is no object"),
        ("[]", "it is no object"),
    ],
)
async def test_what_is_pasted_is_an_event_or_its_data(
    visit: Visit, somebody: Callable[..., Any], pasted: Any, said: str
) -> None:
    """With data and only attributes of CloudEvents it is an event; what it leaves out is made up."""
    who = await somebody()
    async with visit(who) as window:
        page = window.page
        await on_bench(window, who, "try-it", tried(draft(conditions=CONDITIONS[:1])))
        await page.get_by_role("radio", name="One that I paste").check()
        text = pasted if isinstance(pasted, str) else orjson.dumps(pasted).decode()
        await page.get_by_label("The event as JSON").fill(text)
        await page.get_by_role("button", name="Try it").click()
        await expect(page.get_by_text(said)).to_be_visible()


async def test_a_look_that_fails_is_not_said_to_have_found_nothing(
    visit: Visit, somebody: Callable[..., Any], api: Api
) -> None:
    """Without Kafka it says that it could not look; with it again, what there is."""
    who = await somebody("user", "crm:read")
    kind = f"custom.t{uuid4().hex[:12]}"
    put(api, kind, data=RICH)
    async with visit(who) as window:
        page = window.page
        api.event_topics.reachable = False
        await on_bench(window, who, "try-it", tried(draft(trigger={"type": kind}, conditions=[])))
        await page.get_by_role("radio", name="A recent event").focus()
        await expect(page.get_by_text("The newest events could not be looked at: ")).to_be_visible()
        await expect(page.get_by_text("No such event has come")).to_have_count(0)
        await page.get_by_role("button", name="Try it").click()
        await expect(page.get_by_role("alert")).to_contain_text("The newest events could not be looked at: ")
        api.event_topics.reachable = True
        await page.get_by_role("radio", name="A sample").focus()
        await expect(page.get_by_label("Event", exact=True)).to_contain_text("c-1, ")
        window.wrong[:] = [one for one in window.wrong if "status of 503" not in one]
