"""The twelve built-in templates, each from its event to its effects: one installation runs them all."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.adapters.postgres.starter_templates import store_starters
from app.services.workflows.starter_templates import OWNER, STARTERS, starter_id
from tests.integration.site import Site, event
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

WITHIN_S = 60.0
ORDER = {"id": "o-5001", "total": "1999.00", "status": "created"}


@dataclass(frozen=True)
class Played:
    """What is done with a template and what must come of it.

    Attributes:
        values: The placeholders that differ from their defaults; waits are short here.
        data: The event's, beside its customer.
        subjects: Of the mails that reach the customer, in order.
        said: What the first mail holds, as text.
        status: How the execution ends.
        order: The state that the order is in, in the sales system; none: there is no such order.
        tags: The customer's, afterwards.
        notes: What each note begins with.
        tasks: What each task's title begins with.
    """

    values: dict[str, Any]
    data: dict[str, Any]
    subjects: list[str]
    said: str
    status: str = "success"
    order: str | None = None
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()


PLAYED: dict[str, Played] = {
    "Welcome a new customer": Played(
        {"wait": "1s"}, {}, ["Welcome, Ada", "How are you getting on?"], "glad to have you", tags=("new-customer",)
    ),
    "Thank for the first order": Played(
        {"subject": "Thanks, {{ customer.name }}"}, {"order": ORDER}, ["Thanks, Ada"], "order o-5001",
        tags=("first-order",),
    ),
    "Win back customers who stay away": Played(
        {"offer": "Take 10 % off with COMEBACK."}, {}, ["We have missed you"], "Take 10 % off with COMEBACK.",
        tags=("win-back",),
    ),
    "Offer another appointment": Played(
        {}, {"appointment": {"id": "a-77"}}, ["Shall we find another time?"], "could not meet you",
        notes=("Missed an appointment",), tasks=("Find Ada another appointment",),
    ),
    "Recover an abandoned order": Played(
        {"wait": "1s", "again": "1s"}, {"order": ORDER},
        ["Did you forget something?", "Your order {order} is still waiting"], "is waiting: {order}", order="created",
    ),
    "Thank for a big order": Played(
        {"amount": "1500.00"}, {"order": ORDER}, ["Thank you, Ada"], "one of the largest", tags=("VIP",),
        tasks=("Thank Ada in person for order o-5001",),
    ),
    "Ask what stopped an order": Played(
        {"wait": "1s"}, {"order": ORDER}, ["What could we have done better?"], "cancelled your order o-5001",
        notes=("Cancelled order o-5001",),
    ),
    "Tell a partner that their commission is paid": Played(
        {"currency": "BRL", "days": 5}, {"commission": {"id": "m-12", "amount": "19.90"}},
        ["Your commission has been paid"], "19.90 BRL has been paid. Depending on your bank it arrives within 5 days",
        notes=("Commission m-12 of 19.90",),
    ),
    "Act on a bad review": Played(
        {"score": 3}, {"message": {"score": 3, "text": "Broken."}}, ["We are sorry, and want to make it right"],
        "read your review", notes=("Bad review, score 3: Broken.",), tasks=("Call Ada: review with score 3",),
    ),
    "Ask for a review after delivery": Played(
        {"wait": "1s", "review": "https://shop.example.com/reviews"}, {"order": ORDER},
        ["How do you like your order?"], "https://shop.example.com/reviews",
    ),
    "Apologise for a late delivery": Played(
        {"promised": "1s", "amends": "Use SORRY for 5 % off."}, {"order": ORDER},
        ["Your order {order} is late, and we are sorry"], "Use SORRY for 5 % off.", order="paid",
        tasks=("Find out where order {order} is",),
    ),
    "Ask how a conversation went": Played(
        {"wait": "1s"}, {"conversation": {"id": "v-301"}}, ["How did we do?"], "a number from 1 to 5"
    ),
}  # fmt: skip


@dataclass
class Run:
    """A template that was applied, and the event that its workflow was given."""

    workflow: UUID
    customer: str
    order: str
    event_type: str


@pytest.fixture(scope="module")
async def runs(site: Site) -> dict[str, Run]:
    """Every template, applied, switched on and sent its event: they run at the same time."""
    store_starters(site.stack.database_url, {starter_id(one): one for one in STARTERS}, OWNER)
    made = {one["name"]: await _applied(site, one) for one in STARTERS}
    await site.stack.settled()
    for starter in STARTERS:
        await _happens(site, made[starter["name"]], PLAYED[starter["name"]])
    return made


async def _applied(site: Site, starter: dict[str, Any]) -> Run:
    api, played, unique = site.stack.api, PLAYED[starter["name"]], uuid4().hex[:8]
    # Every event starts every workflow of its type: for its own customer alone, none of them is in another's way.
    own = {"field": "event.subject", "operator": "==", "value": f"c-{unique}"}
    conditions = [*starter["conditions"], own]
    body = {"placeholders": {"signature": "The Kettle Shop", **played.values}, "conditions": conditions}
    workflow, etag = await api.call("POST", f"/api/v1/templates/{starter_id(starter)}/apply", body)
    await api.call("POST", f"/api/v1/workflows/{workflow['id']}/activate", If_Match=etag)
    return Run(UUID(workflow["id"]), f"c-{unique}", f"o-{unique}", workflow["trigger"]["type"])


async def _happens(site: Site, run: Run, played: Played) -> None:
    """Play what the workflow waits for: in the systems where these have a part in it, else as an event over the API."""
    call = site.stack.api.call
    about = {"id": run.customer, "name": "Ada", "email": f"{run.customer}@example.com"}
    if run.event_type == "temporal.daily":
        await call("POST", "/api/v1/crm/customers", {**about, "last_order_at": "2020-01-01"})
        due = "UPDATE temporal_schedules SET due = now() WHERE workflow_id = %s RETURNING 1"
        await eventually(partial(site.fetch, due, run.workflow), within=15.0, what="a due time")
    elif played.order is not None:
        await call("POST", "/api/v1/crm/customers", about)
        items = [{"sku": "kettle-17", "price": "149.00", "quantity": 1}]
        await call("POST", "/api/v1/sales/orders", {"id": run.order, "customer_id": run.customer, "items": items})
        if played.order == "paid":
            await call("POST", f"/api/v1/sales/orders/{run.order}/pay")
    else:
        await call("POST", "/api/v1/events", event(run.event_type, run.customer, **played.data))


@pytest.mark.parametrize("name", PLAYED)
async def test_a_built_in_template_does_what_it_says(site: Site, runs: dict[str, Run], name: str) -> None:
    """Applied with a few values, from its event on: the mails, tags, notes and tasks, and a row that says so."""
    run, played = runs[name], PLAYED[name]
    row = await _row(site, run)
    assert (row["status"], row["entity"]) == (played.status, run.customer), row["actions_executed"]
    mails = [one for one in site.mailbox.mails if one.recipients == (f"{run.customer}@example.com",)]
    assert [one.subject for one in mails] == [subject.format(order=run.order) for subject in played.subjects]
    for text in (mails[0].text, mails[0].html):
        assert "Hello Ada," in text
        assert played.said.format(order=run.order) in text
        assert "The Kettle Shop" in text
        assert "[[" not in text
    assert await _kept(site, "SELECT tag AS it FROM crm.tags WHERE customer_id = %s", run) == sorted(played.tags)
    notes = await _kept(site, "SELECT text AS it FROM crm.notes WHERE customer_id = %s", run)
    tasks = await _kept(site, "SELECT title AS it FROM crm.tasks WHERE customer_id = %s", run)
    assert (len(notes), len(tasks)) == (len(played.notes), len(played.tasks))
    for found, wanted in (*zip(notes, played.notes, strict=True), *zip(tasks, played.tasks, strict=True)):
        assert found.startswith(wanted.format(order=run.order)), found


def test_there_are_twelve_and_each_is_played() -> None:
    """A template that is added is tried too; each has words on every placeholder, and a default."""
    assert len(STARTERS) == 12
    assert {one["name"] for one in STARTERS} == set(PLAYED)
    for starter in STARTERS:
        assert all("default" in one and one["label"] for one in starter["placeholders"]), starter["name"]


async def _row(site: Site, run: Run) -> dict[str, Any]:
    find: Callable[[], Any] = partial(
        site.fetch,
        "SELECT * FROM automation_logs WHERE automation_id = %s AND entity = %s AND status <> 'skipped'",
        run.workflow, run.customer,
    )  # fmt: skip
    rows = await eventually(find, within=WITHIN_S, what="the row of the execution")
    return dict(rows[0])


async def _kept(site: Site, query: str, run: Run) -> list[str]:
    return sorted(row["it"] for row in await site.fetch(query, run.customer))
