"""``current`` in conditions and templates of actions: the customer and the order as they are when the step runs."""

from typing import Any, Final

import pytest

from app.actions.steps import resolve
from app.domain.errors import ActionFailedError
from app.domain.retry import RetryPolicy
from app.execution.current_values import Current
from app.ports import CustomerUpdate, TagRequest
from schemas.command import Command
from schemas.workflow import Action
from tests.execution import test_leased, test_transactional
from tests.support.fake_crm import FakeCrm
from tests.support.fake_rights import FixedRights
from tests.support.receipts import ReceiptStore
from tests.support.slips import action, command

UNPAID: Final = [{"field": "current.order.status", "operator": "==", "value": "created"}]
PATIENT: Final = RetryPolicy(max_retries=2, initial_delay=0.001)


def order_event(order_id: Any = "o-1", **data: Any) -> dict[str, Any]:
    """Return an event about an order of the customer c1."""
    whole = {"order": {"id": order_id, "status": "created"}, "customer": {"id": "c1", "name": "as it was"}, **data}
    return {"specversion": "1.0", "id": f"e-{order_id}", "source": "/s", "type": "order.created", "data": whole}


def about(*conditions: str, **config: Any) -> Action:
    """Return an action with conditions on some fields."""
    return action("create_note", conditions=[{"field": f, "operator": "==", "value": 1} for f in conditions], **config)


@pytest.mark.parametrize(
    ("step", "names"),
    [
        (about(text="hello {{ customer.name }}"), set()),
        (about(text="{{ current.customer.name }}"), {"customer"}),
        (about(text="x", customer_id="{{ current['order'].customer_id | default('') }}"), {"order"}),
        (about("current.order.status", text="{{ current.customer.tags }}"), {"customer", "order"}),
        (about("order.current", text="the current customer"), set()),
        (about(text="{% for name in current %}{{ name }}{% endfor %}"), {"customer", "order"}),
        (about(text="{% for current in order['items'] %}{{ current.sku }}{% endfor %}"), set()),
        (about(text="{{ current.price }}"), set()),
        (action("webhook", url="http://a.example", headers={"X": "{{ current.order.total }}"}), {"order"}),
        (about("current.basket", text="{{ current.customer.name }}"), set()),
        (action("webhook", url="http://a.example", body=["{{"]), set()),
    ],
)
def test_only_what_a_step_names_is_looked_up(step: Action, names: set[str]) -> None:
    """In its templates at any depth and in its conditions; what does not compile asks for nothing."""
    assert resolve(command(step)).current == names


async def test_an_order_paid_meanwhile_skips_the_step() -> None:
    """The condition sees the order as it is now, not as the event told it; the verdict says what was found."""
    world = test_transactional.World()
    world.store.crm.orders_by_id["o-1"] = {"id": "o-1", "status": "paid"}
    world.store.crm.orders_by_id["42"] = {"id": "42", "status": "created"}
    steps = [command(action(tag="late", conditions=UNPAID), event=order_event(one)) for one in ("o-1", 42)]
    paid, unpaid = await world.run(*steps)
    assert [one.results[0].status for one in (paid, unpaid)] == ["skipped", "success"]
    assert paid.results[0].verdicts[0]["actual"] == "paid"


async def test_a_batch_is_looked_up_in_one_go() -> None:
    """One look for the customers and one for the orders, each id once; steps that ask for nothing cause none."""
    world = test_transactional.World()
    crm = world.store.crm
    await crm.update_customers([CustomerUpdate(f"c{n}", {"name": f"now {n}"}) for n in range(3)])
    tagging = action(tag="{{ current.customer.name }}", conditions=[])
    events = [order_event(n, customer={"id": f"c{n % 2}"}) for n in range(4)]
    ended = await world.run(*(command(tagging, event=one) for one in events), command(action(tag="plain")))
    assert [one.results[0].output["tag"] for one in ended] == ["now 0", "now 1", "now 0", "now 1", "plain"]
    assert crm.asked == [("customers", ["c0", "c1"])]


async def test_the_customer_is_the_entity_where_the_data_names_none() -> None:
    """An event without a customer in its data is about its entity."""
    crm = FakeCrm()
    await crm.apply_tags([TagRequest("c1", "VIP")])
    step = command(action(tag="{{ current.customer.tags[0] }}"), event=order_event(customer=None))
    found = await Current(crm, PATIENT, timeout=5).of([resolve(step)], FixedRights())
    assert found == [{"customer": {"id": "c1", "tags": ["VIP"]}}]


async def test_who_is_not_there_is_a_missing_field() -> None:
    """A condition on them is false and says so, a template fails by name, and default() opts out."""
    world = test_transactional.World()
    missing, named, opted = await world.run(
        command(action(tag="a", conditions=UNPAID), event=order_event("none")),
        command(action(tag="{{ current.order.status }}"), event=order_event("gone")),
        command(action(tag="{{ current.order.status | default('unknown') }}"), event=order_event("lost")),
    )
    assert missing.results[0].status == "skipped"
    assert missing.results[0].verdicts[0]["reason"] == "the field is missing"
    assert named.results[0].error == "tag: line 1: current.order.status is undefined"
    assert opted.results[0].output["tag"] == "unknown"


async def test_data_of_that_name_stays_visible_where_nothing_is_looked_up() -> None:
    """An event may have a field called current; a step that asks for no customer or order sees that."""
    world = test_transactional.World()
    (ended,) = await world.run(command(action(tag="{{ current.price }}"), event=order_event(current={"price": 5})))
    assert ended.results[0].output["tag"] == "5"
    assert not world.store.crm.asked


async def test_an_unknown_member_fails_its_step_by_place() -> None:
    """Saved under older rules: the log says where and what there is."""
    world = test_transactional.World()
    odd = [{"field": "current.basket.size", "operator": ">", "value": 1}]
    (ended,) = await world.run(command(action(tag="a", conditions=odd)))
    assert ended.results[0].error == "conditions[0].field: must begin with current.customer or current.order"


async def test_outside_effects_look_too() -> None:
    """A webhook is sent with what is there now, and not where its condition does not hold any more."""
    world = test_leased.World(ReceiptStore())
    world.store.crm.orders_by_id["o-1"] = {"id": "o-1", "status": "created", "total": "5.00"}
    hook = action("webhook", url="http://a.example/{{ current.order.total }}", conditions=UNPAID)
    assert await world.run(command(hook, event=order_event()))
    world.store.crm.orders_by_id["o-1"]["status"] = "cancelled"
    assert await world.run(command(hook, event=order_event(), attempt=2))
    assert [request.url for request in world.http.requests] == ["http://a.example/5.00"]
    assert [one.results[0].status for one in world.ended] == ["success", "skipped"]


def asking(order_id: str = "o-1") -> Command:
    """Return a step that asks for its order."""
    return command(action(tag="a", conditions=UNPAID), event=order_event(order_id))


async def test_a_crm_that_fails_for_a_while_is_asked_again() -> None:
    """As often as an action would be tried; then the step fails with the reason, and the others go on."""
    crm = FakeCrm()
    crm.failures = [ActionFailedError("answered 503"), ActionFailedError("answered 503")]
    assert await Current(crm, PATIENT, timeout=5).of([resolve(asking())], FixedRights()) == [{}]
    crm.failures = [ActionFailedError("answered 503") for _ in range(3)]
    (failed,) = await Current(crm, PATIENT, timeout=5).of([resolve(asking())], FixedRights())
    assert str(failed) == "answered 503"
    assert len(crm.asked) == 6


async def test_one_id_that_is_refused_fails_its_own_step_only() -> None:
    """A batch that is refused for good is looked up one by one."""
    crm = FakeCrm()
    crm.orders_by_id["o-2"] = {"id": "o-2"}
    refusal = ActionFailedError("answered 400", permanent=True)
    crm.failures = [refusal, refusal]
    steps = [resolve(one) for one in (asking("o-1"), asking("o-2"), command(action(tag="a")))]
    found = await Current(crm, PATIENT, timeout=5).of(steps, FixedRights())
    assert found == [refusal, {"order": {"id": "o-2"}}, None]


async def test_a_step_whose_look_failed_says_so() -> None:
    """A failed result that names current; nothing was done."""
    world = test_transactional.World()
    world.store.crm.failures = [ActionFailedError("answered 503: try later")]
    (ended,) = await world.run(asking())
    assert (ended.status, ended.results[0].error) == ("failed", "current: answered 503: try later")
    assert not world.store.crm.tags
