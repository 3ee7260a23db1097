"""The reference systems over the API: every change announces itself once and completely, and nothing else does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from schemas.event_types import BUSINESS_EVENT_TYPES
from tests.admin.business import AFFILIATES, CRM, SALES, Business, running_business
from tests.admin.conftest import Api, User


@pytest.fixture
async def business(user: User, api_database: str) -> AsyncIterator[Business]:
    """A business of this test's own."""
    async with running_business(user, api_database) as opened:
        yield opened


async def play(business: Business) -> None:
    """Have everything happen that the specification knows an event for."""
    do, customer = business.do, business.id("c-1")
    await do("POST", f"{CRM}/customers", {"id": customer, "name": "Ada", "tags": ["new"]})
    await do("PATCH", f"{CRM}/customers/{customer}", {"plan": "gold"})
    await do("PUT", f"{CRM}/customers/{customer}/tags/VIP")
    await do("DELETE", f"{CRM}/customers/{customer}/tags/new")
    await do("PUT", f"{AFFILIATES}/partners/{business.id('p-1')}", {"rate": "7.5"})
    await business.order(affiliate_id=business.id("p-1"))
    await business.order("o-2", total=None, items=[{"sku": "tea", "price": 4.2, "quantity": 3}])
    await do("POST", f"{SALES}/orders/{business.id('o-1')}/pay")
    await do("POST", f"{SALES}/orders/{business.id('o-1')}/deliver")
    await do("POST", f"{SALES}/orders/{business.id('o-2')}/cancel")
    commission = await do("POST", f"{AFFILIATES}/commissions", {"order_id": business.id("o-1")})
    await do("POST", f"{AFFILIATES}/commissions/{commission['id']}/pay")
    conversation = business.id("v-1")
    await do("POST", f"{CRM}/conversations", {"id": conversation, "customer_id": customer, "subject": "Where is it?"})
    await do("POST", f"{CRM}/conversations/{conversation}/messages", {"text": "Hello?", "score": 2})
    await do("POST", f"{CRM}/conversations/{conversation}/resolve")
    for what in ("complete", "miss"):
        draft = {"customer_id": customer, "title": "Call", "starts_at": "2026-03-01T10:00:00+01:00"}
        made = await do("POST", f"{CRM}/appointments", draft)
        await do("POST", f"{CRM}/appointments/{made['id']}/{what}")
    await do("DELETE", f"{CRM}/customers/{customer}")


async def test_every_event_of_the_specification_has_an_emitter(business: Business) -> None:
    """All 17 types come out of a business that is played, each event of the contract's form, about whom it is about."""
    await play(business)
    events = await business.events()
    assert {event.type for event in events} == set(BUSINESS_EVENT_TYPES)
    for event in events:
        assert event.data["customer"]["id"] == event.subject
        assert event.source in {"/headrace/crm", "/headrace/sales", "/headrace/affiliates"}
    assert len({event.id for event in events}) == len(events)


async def test_an_orders_event_is_complete(business: Business) -> None:
    """The whole order as the API shows it then, and the whole customer as the CRM knows them."""
    customer = {"id": business.id("c-1"), "name": "Ada", "tags": ["VIP"]}
    await business.do("POST", f"{CRM}/customers", customer)
    created = await business.order(total=None, items=[{"sku": "tea", "price": "4.20", "quantity": 3}], currency="USD")
    paid = await business.do("POST", f"{SALES}/orders/{business.id('o-1')}/pay")
    assert (created["total"], created["status"], created["items"]) == (
        "12.60", "created", [{"sku": "tea", "price": "4.20", "quantity": 3}],
    )  # fmt: skip
    assert paid == {**created, "status": "paid", "paid_at": paid["paid_at"]}
    assert [event.data for event in (await business.events())[1:]] == [
        {"order": created, "customer": customer},
        {"order": paid, "customer": customer},
    ]
    assert await business.do("GET", f"{SALES}/orders/{business.id('o-1')}") == paid


async def test_a_commissions_event_is_complete(business: Business) -> None:
    """The commission, the order, and the partner, who is the customer that it is about."""
    partner = business.id("p-1")
    await business.do("POST", f"{CRM}/customers", {"id": partner, "name": "Rui", "email": "rui@example.com"})
    await business.do("PUT", f"{AFFILIATES}/partners/{partner}", {"rate": 12.5})
    await business.order(total="0.20", affiliate_id=partner)
    order = await business.do("POST", f"{SALES}/orders/{business.id('o-1')}/pay")
    commission = await business.do("POST", f"{AFFILIATES}/commissions", {"order_id": order["id"]})
    assert (commission["amount"], commission["rate"], commission["status"]) == ("0.03", "12.50", "calculated")
    event = (await business.events())[-1]
    assert (event.type, event.subject) == ("commission.calculated", partner)
    contact = {"id": partner, "name": "Rui", "email": "rui@example.com", "tags": []}
    assert event.data == {
        "commission": commission,
        "order": order,
        "customer": contact,
        "affiliate": {**contact, "rate": "12.50", "created_at": event.data["affiliate"]["created_at"]},
    }


async def test_what_changes_nothing_announces_nothing(business: Business) -> None:
    """Asked again for what is so already, the API says yes, answers the same, and nobody hears of it."""
    customer, order = business.id("c-1"), f"{SALES}/orders/{business.id('o-1')}"
    await business.do("PUT", f"{AFFILIATES}/partners/{business.id('p-1')}", {"rate": 10})
    await business.order(affiliate_id=business.id("p-1"))
    paid = await business.do("POST", f"{order}/pay")
    commission = await business.do("POST", f"{AFFILIATES}/commissions", {"order_id": business.id("o-1")})
    await business.do("PUT", f"{CRM}/customers/{customer}/tags/VIP")
    await business.do("PATCH", f"{CRM}/customers/{customer}", {"plan": "gold"})
    before = await business.events()
    assert await business.do("POST", f"{order}/pay") == paid
    assert await business.do("POST", f"{AFFILIATES}/commissions", {"order_id": business.id("o-1")}) == commission
    assert await business.do("PUT", f"{CRM}/customers/{customer}/tags/VIP") == {"tag": "VIP", "applied": False}
    assert (await business.do("PATCH", f"{CRM}/customers/{customer}", {"plan": "gold"}))["changed"] == []
    assert await business.events() == before


@pytest.mark.parametrize(
    ("done", "asked"),
    [
        (["cancel"], "pay"),
        (["cancel"], "deliver"),
        ([], "deliver"),
        (["pay", "deliver"], "cancel"),
        (["pay", "deliver"], "pay"),
        (["pay", "cancel"], "pay"),
    ],
)
async def test_an_order_goes_its_way_only(business: Business, done: list[str], asked: str) -> None:
    """From created over paid to delivered, or cancelled before that: anything else is 409, and nothing happens."""
    path = f"{SALES}/orders/{business.id('o-1')}"
    await business.order()
    for verb in done:
        await business.do("POST", f"{path}/{verb}")
    before, types = await business.do("GET", path), await business.types()
    answer = await business.ask("POST", f"{path}/{asked}")
    assert answer.status == 409
    assert f"The order is {before['status']}" in answer.json["detail"]
    assert (await business.do("GET", path), await business.types()) == (before, types)


async def test_an_appointment_takes_place_or_does_not(business: Business) -> None:
    """What was missed was not completed."""
    draft = {"customer_id": business.id("c-1"), "title": "Call", "starts_at": "2026-03-01T10:00:00Z"}
    made = await business.do("POST", f"{CRM}/appointments", draft)
    missed = await business.do("POST", f"{CRM}/appointments/{made['id']}/miss")
    assert missed == {**made, "status": "missed"}
    assert (await business.ask("POST", f"{CRM}/appointments/{made['id']}/complete")).status == 409
    assert await business.types() == ["appointment.created", "appointment.missed"]


async def test_a_commission_needs_a_paid_order_that_a_partner_brought(business: Business) -> None:
    """Anything less is 409 or 400 and says what is missing; what was cancelled since is not paid."""
    calculate = f"{AFFILIATES}/commissions"
    assert (await business.ask("POST", calculate, {"order_id": "none"})).json["errors"][0]["path"] == "order_id"
    await business.order("alone")
    await business.do("POST", f"{SALES}/orders/{business.id('alone')}/pay")
    await business.order(affiliate_id=business.id("p-1"))
    refused = [await business.ask("POST", calculate, {"order_id": business.id(one)}) for one in ("alone", "o-1")]
    await business.do("POST", f"{SALES}/orders/{business.id('o-1')}/pay")
    refused.append(await business.ask("POST", calculate, {"order_id": business.id("o-1")}))
    assert [answer.json["detail"].split("; ")[0] for answer in refused] == [
        "The order was brought by no partner",
        "The order is created",
        f"{business.id('p-1')} is no partner",
    ]
    await business.do("PUT", f"{AFFILIATES}/partners/{business.id('p-1')}", {"rate": 10})
    commission = await business.do("POST", calculate, {"order_id": business.id("o-1")})
    await business.do("POST", f"{SALES}/orders/{business.id('o-1')}/cancel")
    assert (await business.ask("POST", f"{calculate}/{commission['id']}/pay")).status == 409
    assert (await business.do("GET", f"{calculate}/{commission['id']}"))["status"] == "calculated"


async def test_a_message_opens_a_resolved_conversation_again(business: Business) -> None:
    """It is open for whoever looks next, and the message tells of it as it is then."""
    conversation = business.id("v-1")
    draft = {"id": conversation, "customer_id": business.id("c-1")}
    made = await business.do("POST", f"{CRM}/conversations", draft)
    await business.do("POST", f"{CRM}/conversations/{conversation}/resolve")
    message = {"id": str(uuid4()), "text": "Still broken"}
    for _ in range(2):
        await business.do("POST", f"{CRM}/conversations/{conversation}/messages", message)
    assert await business.do("GET", f"{CRM}/conversations/{conversation}") == made
    assert await business.types() == ["conversation.created", "conversation.resolved", "message.received"]
    assert (await business.events())[-1].data["conversation"] == made


async def test_the_chain_that_was_handed_over_goes_on(api: Api, business: Business) -> None:
    """Headrace-Causation comes out as the event's causation, where its sender may send events: a loop is seen.

    Everybody else could forge a chain that keeps others' workflows from starting.
    """
    chain = f"{uuid4()}/{uuid4()},{uuid4()}/{uuid4()}"
    await business.order()
    path = f"{SALES}/orders/{business.id('o-1')}/pay"
    refused = await business.ask("POST", path, Headrace_Causation=chain)
    assert (refused.status, "events:write" in refused.json["detail"]) == (403, True)
    system = replace(business, user=api.user("user", "events:write"))
    await system.do("POST", path, Headrace_Causation=f"{chain},no link")
    created, paid = await business.events()
    assert (created.causation, paid.causation) == (None, chain)


async def test_the_same_request_under_a_key_is_carried_out_once(business: Business) -> None:
    """However often and however concurrently it is made, it has one effect and one answer."""
    path = f"{CRM}/customers/{business.id('c-1')}/tags/VIP"
    answers = await asyncio.gather(*(business.do("PUT", path, Idempotency_Key=business.name) for _ in range(5)))
    assert answers == [{"tag": "VIP", "applied": True}] * 5
    assert await business.types() == ["tag.applied"]
    await business.do("DELETE", path)
    assert await business.do("PUT", path, Idempotency_Key=business.name) == {"tag": "VIP", "applied": True}
    assert (await business.do("GET", f"{CRM}/customers/{business.id('c-1')}"))["tags"] == []


async def test_a_key_is_one_requests_and_one_callers(business: Business, api_database: str, admin: User) -> None:
    """422 for another body, path or method; somebody else's same key is another; what was refused may come again."""
    path = f"{SALES}/orders/{business.id('o-1')}"
    assert (await business.ask("POST", f"{path}/pay", Idempotency_Key="k")).status == 404
    await business.order()
    await business.do("POST", f"{path}/pay", Idempotency_Key="k")
    note = f"{CRM}/customers/{business.id('c-1')}/notes"
    await business.do("POST", note, {"text": "one"}, Idempotency_Key="n")
    customer = note.removesuffix("/notes")
    others: list[tuple[str, str, Any, str]] = [
        ("POST", f"{path}/deliver", None, "k"), ("POST", note, {"text": "two"}, "n"),
        ("PATCH", customer, {"plan": "gold"}, "n"), ("DELETE", customer, None, "n"),
    ]  # fmt: skip
    for method, another, body, key in others:
        answer = await business.ask(method, another, body, Idempotency_Key=key)
        assert (answer.status, "another request" in answer.json["detail"]) == (422, True), answer
    async with running_business(admin, api_database) as other:
        await other.do("POST", f"{path}/deliver", Idempotency_Key="k")
    assert (await business.ask("POST", f"{path}/pay", Idempotency_Key="a b")).status == 400


async def test_a_request_that_an_older_version_noted_is_answered_as_it_was(business: Business) -> None:
    """It has noted no body: method and path tell it, as they did, and it is not carried out again."""
    path, key = f"{CRM}/customers/{business.id('c-1')}/notes", f"old-{business.name}"
    first = await business.do("POST", path, {"text": "one"}, Idempotency_Key=key)
    await business.connection.execute("UPDATE crm.requests SET body = NULL WHERE key LIKE %s", (f"%:{key}",))
    assert await business.do("POST", path, {"text": "one"}, Idempotency_Key=key) == first
    assert len((await business.do("GET", path))["items"]) == 1


async def test_ids_of_any_text_are_found_again(business: Business) -> None:
    """Slashes, spaces, letters of any language, percent signs."""
    for odd in ("a/b c", "é%2Fü", "日本?x=1#y", "+&="):
        named = business.id(odd)
        await business.do("POST", f"{CRM}/customers", {"id": named})
        path = f"{CRM}/customers/{quote(named, safe='')}"
        assert (await business.do("PUT", f"{path}/tags/{quote(odd, safe='')}"))["tag"] == odd
        assert await business.do("GET", path) == {"id": named, "tags": [odd]}


async def test_a_customer_is_forgotten(business: Business) -> None:
    """With tags and notes; the event tells who they were; what they bought stays."""
    customer = f"{CRM}/customers/{business.id('c-1')}"
    await business.order()
    await business.do("PUT", f"{customer}/tags/VIP")
    await business.do("POST", f"{customer}/notes", {"text": "likes tea"})
    await business.do("DELETE", customer)
    assert (await business.ask("GET", customer)).status == 404
    assert (await business.ask("DELETE", customer)).status == 404
    assert (await business.do("GET", f"{customer}/notes"))["items"] == []
    assert (await business.events())[-1].data == {"customer": {"id": business.id("c-1"), "tags": ["VIP"]}}
    assert (await business.do("GET", f"{SALES}/orders/{business.id('o-1')}"))["status"] == "created"


async def test_lists_show_each_thing_once_newest_first(business: Business) -> None:
    """Page by page, by customer and by state."""
    for number in range(5):
        await business.order(f"o-{number}")
    await business.do("POST", f"{SALES}/orders/{business.id('o-3')}/pay")
    mine = f"{SALES}/orders?customer_id={business.id('c-1')}"
    found: list[str] = []
    page = await business.do("GET", f"{mine}&limit=2")
    while True:
        found += [order["id"] for order in page["items"]]
        if page["next_cursor"] is None:
            break
        page = await business.do("GET", f"{mine}&limit=2&cursor={page['next_cursor']}")
    assert found == [business.id(f"o-{number}") for number in (4, 3, 2, 1, 0)]
    assert [order["id"] for order in (await business.do("GET", f"{mine}&status=paid"))["items"]] == [business.id("o-3")]
    assert (await business.ask("GET", f"{mine}&cursor=eA")).json["errors"][0]["path"] == "cursor"


async def test_tasks_are_given_and_done(business: Business) -> None:
    """A task of one id is made once, is open until it is done, and done once."""
    task = {"id": str(uuid4()), "customer_id": business.id("c-1"), "title": "Call", "due_at": "2026-03-01T10:00:00Z"}
    made = await business.do("POST", f"{CRM}/tasks", task)
    assert await business.do("POST", f"{CRM}/tasks", {**task, "title": "Changed"}) == made
    done = await business.do("POST", f"{CRM}/tasks/{task['id']}/done")
    assert (made["status"], done["status"], done["title"]) == ("open", "done", "Call")
    assert await business.do("POST", f"{CRM}/tasks/{task['id']}/done") == done
    assert (await business.ask("POST", f"{CRM}/tasks/{uuid4()}/done")).status == 404
    listed = await business.do("GET", f"{CRM}/tasks?customer_id={business.id('c-1')}&status=done")
    assert listed["items"] == [done]


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        (f"{CRM}/customers", {"id": ""}, "id"),
        (f"{CRM}/customers", {"id": "a\nb"}, "id"),
        (f"{CRM}/customers", {"tags": ["x" * 101]}, "tags[0]"),
        (f"{CRM}/customers", {"first name": "Ada"}, "first name"),
        (f"{CRM}/customers", {"bio": "x" * 20_000}, ""),
        (f"{CRM}/tasks", {"title": " "}, "title"),
        (f"{CRM}/tasks", {"title": "a", "due_at": "2026-03-01T10:00:00"}, "due_at"),
        (f"{CRM}/tasks", {"title": "a", "colour": 1}, "colour"),
        (f"{CRM}/appointments", {"customer_id": "c", "title": "a"}, "starts_at"),
        (f"{SALES}/orders", {"customer_id": "c"}, "total"),
        (f"{SALES}/orders", {"customer_id": "c", "total": "-1"}, "total"),
        (f"{SALES}/orders", {"customer_id": "c", "total": "1.234"}, "total"),
        (f"{SALES}/orders", {"customer_id": "c", "total": 1, "currency": "euro"}, "currency"),
        (f"{SALES}/orders", {"customer_id": "c", "items": [{"sku": "a", "price": -1}]}, "items[0].price"),
        (f"{AFFILIATES}/commissions", {}, "order_id"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(business: Business, path: str, body: Any, wrong: str) -> None:
    """400 with the path, and nothing is stored or announced."""
    answer = await business.ask("POST", path, body)
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, [wrong])


@pytest.mark.parametrize("what", [f"{CRM}/customers/x%00y", f"{CRM}/tasks/1", f"{SALES}/orders/{'x' * 257}"])
async def test_what_can_be_no_id_is_not_there(business: Business, what: str) -> None:
    """404, not an error of ours."""
    assert (await business.ask("GET", what)).status == 404


async def test_an_id_that_is_taken_is_refused(business: Business) -> None:
    """409 for a customer, an order, a conversation that is there already, and no second event."""
    await business.order()
    draft = {"id": business.id("v"), "customer_id": business.id("c-1")}
    await business.do("POST", f"{CRM}/conversations", draft)
    types = await business.types()
    taken = [
        (f"{CRM}/conversations", draft),
        (f"{CRM}/customers", {"id": business.id("c-1")}),
        (f"{SALES}/orders", {"id": business.id("o-1"), "customer_id": "c", "total": 1}),
    ]
    assert [(await business.ask("POST", path, body)).status for path, body in taken] == [409, 409, 409]
    assert await business.types() == types


async def test_a_number_that_nothing_can_hold_hides_no_customer(business: Business) -> None:
    """One that was written past the API is shown as the largest number; the list goes on."""
    customer = business.id("c-1")
    await business.connection.execute(
        "INSERT INTO crm.customers VALUES (%s, %s::jsonb)", (customer, f'{{"a": -{"9" * 400}}}')
    )
    page = await business.do("GET", f"{CRM}/customers?after={business.name}&limit=1")
    assert page["items"] == [{"id": customer, "tags": [], "a": -1.7976931348623157e308}]


async def test_a_time_at_the_end_of_the_calendar_is_refused(business: Business) -> None:
    """Kindly: no reader in another time zone could load it."""
    customer = business.id("c-1")
    await business.do("POST", f"{CRM}/customers", {"id": customer})
    draft = {"customer_id": customer, "title": "Call", "starts_at": "9999-12-31T10:00:00Z"}
    assert (await business.ask("POST", f"{CRM}/appointments", draft)).status == 400
