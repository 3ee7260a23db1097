"""Properties 21 and 22: what Sales and Affiliates announce when a business is played through the API."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Event
from schemas.event_types import event_group
from schemas.incoming import decode_event
from tests.admin.business import AFFILIATES, CRM, SALES
from tests.admin.conftest import Api, User
from tests.properties.engine import Engine, new_type
from tests.properties.examples import NAMES, PRICES, PROPERTY, TAGS
from tests.support.records import FakeRecord

ITEMS = st.lists(
    st.fixed_dictionaries(
        {"sku": TAGS, "price": PRICES, "quantity": st.integers(1, 100)}, optional={"name": NAMES, "category": TAGS}
    ),
    min_size=1,
    max_size=3,
)
ENDS = st.sampled_from([(), ("pay",), ("cancel",), ("pay", "deliver"), ("pay", "cancel")])
BECOMES = {"pay": "paid", "cancel": "cancelled", "deliver": "delivered"}


async def do(user: User, method: str, path: str, body: Any = None) -> Any:
    """Call the API, which must say yes; returns what it answers."""
    answer = await user.call(method, path, body)
    assert answer.status in {200, 201}, answer
    return answer.json


async def announced(engine: Engine, group: str) -> list[Event]:
    """Return what has come out of the outbox of a group of events, in order, each under its entity."""
    await engine.settle()
    records = engine.sent(engine.topics.internal_events)
    read = [decode_event(FakeRecord(one.value, one.key, one.topic, headers=one.headers)) for one in records]
    assert all(one.entity == one.event.subject for one in read)
    return [one.event for one in read if event_group(one.event.type) == group]


# Feature: automations-workflows, Property 21: Sales Event Emission
@PROPERTY
@given(items=ITEMS, ends=ENDS, name=NAMES, currency=st.sampled_from(["EUR", "USD", "BRL"]))
async def test_21_what_happens_to_an_order_is_emitted_with_the_whole_order(  # noqa: PLR0917 - hypothesis passes by name
    engine: Engine, api: Api, items: list[dict[str, Any]], ends: tuple[str, ...], name: str, currency: str
) -> None:
    """Created, paid, cancelled, delivered: one event each, with all of the order as it is then, and its customer."""
    user, customer, order = api.user(), new_type(), new_type()
    await do(user, "POST", f"{CRM}/customers", {"id": customer, "name": name})
    await engine.settle()
    engine.forget()
    draft = {"id": order, "customer_id": customer, "currency": currency, "items": items}
    answers = [await do(user, "POST", f"{SALES}/orders", draft)]
    answers += [await do(user, "POST", f"{SALES}/orders/{order}/{end}") for end in ends]
    events = await announced(engine, "order")
    assert [event.type for event in events] == ["order.created", *(f"order.{BECOMES[end]}" for end in ends)]
    assert [event.data["order"] for event in events] == answers
    total = sum((Decimal(item["price"]) * item["quantity"] for item in items), Decimal())
    for event, status in zip(events, ["created", *(BECOMES[end] for end in ends)], strict=True):
        seen = event.data["order"]
        assert (seen["id"], seen["customer_id"], seen["status"], seen["currency"]) == (
            order, customer, status, currency
        )  # fmt: skip
        assert (seen["total"], seen["items"]) == (f"{total:.2f}", [priced(item) for item in items])
        assert (status == "created") or seen[f"{status}_at"]
        assert event.data["customer"] == {"id": customer, "name": name, "tags": []}
        assert (event.subject, event.source) == (customer, "/headrace/sales")


def priced(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item with its price as money is shown."""
    return {**item, "price": f"{Decimal(item['price']):.2f}"}


# Feature: automations-workflows, Property 22: Affiliates Event Emission
@PROPERTY
@given(total=PRICES, rate=st.decimals(0, 100, places=2).map(str), name=NAMES, paid=st.booleans())
async def test_22_a_commissions_calculation_is_emitted_with_all_of_it(
    engine: Engine, api: Api, total: str, rate: str, name: str, *, paid: bool
) -> None:
    """One event: the commission, exact to the cent, the order that it is on, and the partner whom it is about."""
    user, partner, order = api.user(), new_type(), new_type()
    await do(user, "POST", f"{CRM}/customers", {"id": partner, "name": name})
    await do(user, "PUT", f"{AFFILIATES}/partners/{partner}", {"rate": rate})
    draft = {"id": order, "customer_id": f"of-{order}", "affiliate_id": partner, "total": total}
    await do(user, "POST", f"{SALES}/orders", draft)
    sold = await do(user, "POST", f"{SALES}/orders/{order}/pay")
    await engine.settle()
    engine.forget()
    commission = await do(user, "POST", f"{AFFILIATES}/commissions", {"order_id": order})
    if paid:
        await do(user, "POST", f"{AFFILIATES}/commissions/{commission['id']}/pay")
    event, *later = await announced(engine, "commission")
    assert [one.type for one in (event, *later)] == ["commission.calculated", *["commission.paid"] * paid]
    amount = (Decimal(total) * Decimal(rate) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    told = event.data["commission"]
    assert told == commission
    assert (told["order_id"], told["affiliate_id"], told["status"]) == (order, partner, "calculated")
    assert (told["amount"], told["rate"], told["currency"]) == (f"{amount:.2f}", f"{Decimal(rate):.2f}", "EUR")
    assert event.data["order"] == sold
    assert event.data["customer"] == {"id": partner, "name": name, "tags": []}
    assert (event.data["affiliate"]["id"], event.data["affiliate"]["rate"]) == (partner, told["rate"])
    assert (event.subject, event.source) == (partner, "/headrace/affiliates")
