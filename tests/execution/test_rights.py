"""What a workflow may do for its owner: the entity of its own event always, others as the owner may."""

from collections.abc import Collection
from typing import Any, Final
from uuid import uuid4

import pytest

from app.actions.over_http import ON_THE_CRM
from app.actions.registry import REGISTRY
from app.actions.steps import resolve
from app.domain.callers import Permission
from app.domain.errors import ActionFailedError
from app.domain.retry import RetryPolicy
from app.execution.current_values import Current
from app.ports import CustomerUpdate
from schemas.command import Command
from tests.execution import test_leased, test_over_http, test_transactional
from tests.support.fake_crm import FakeCrm
from tests.support.fake_rights import FixedRights
from tests.support.receipts import ReceiptStore
from tests.support.slips import action, command

OWNER: Final = "00000000-0000-0000-0000-000000000009"
CONFIGS: Final[dict[str, dict[str, Any]]] = {
    "apply_tag": {"tag": "vip"},
    "remove_tag": {"tag": "vip"},
    "create_note": {"text": "x"},
    "update_customer": {"set": {"name": "x"}},
    "create_appointment": {"title": "x", "starts_at": "3d"},
    "create_task": {"title": "x"},
    "assign_conversation": {"assignee": "me"},
}


def happened(customer: Any = "c1", source: str = "/shop", **data: Any) -> dict[str, Any]:
    """Return an event that names a customer; its key, the entity, is c1."""
    whole = {"customer": {"id": customer}, "conversation": {"id": "v1"}, **data}
    return {"specversion": "1.0", "id": str(uuid4()), "source": source, "type": "order.paid", "data": whole}


def crm_of_two() -> FakeCrm:
    """Return a CRM that knows the customers c1 and c2, and an order of each."""
    crm = FakeCrm()
    crm.orders_by_id = {f"o{n}": {"id": f"o{n}", "customer_id": f"c{n}"} for n in (1, 2)}
    return crm


async def looked(rights: FixedRights, event: dict[str, Any], template: str, **options: Any) -> Any:
    """Return what ``current`` is for one step."""
    crm = crm_of_two()
    await crm.update_customers([CustomerUpdate(f"c{n}", {"name": f"secret {n}"}) for n in (1, 2)])
    current = Current(crm, RetryPolicy(max_retries=0), timeout=5)
    (found,) = await current.of([resolve(command(action(tag=template), event=event))], rights, **options)
    return str(found) if isinstance(found, ActionFailedError) else found


CUSTOMER: Final = "{{ current.customer.name }}"
ORDER: Final = "{{ current.order.id }}"


@pytest.mark.parametrize(
    ("event", "template"),
    [(happened(), CUSTOMER), (happened(customer=None), CUSTOMER), (happened(order={"id": "o1"}), ORDER)],
)
async def test_the_events_own_entity_is_seen_and_nobody_is_asked(event: dict[str, Any], template: str) -> None:
    """Its customer, and an order of theirs: that needs no permission, and so costs no question."""
    rights = FixedRights(())
    assert "1" in str(await looked(rights, event, template))
    assert rights.asked == []


@pytest.mark.parametrize(
    ("event", "template", "said"),
    [
        (happened(customer="c2"), CUSTOMER, "customer is not the event's own entity"),
        (happened(order={"id": "o2"}), ORDER, "order is of another customer than the event's own entity"),
        (happened(source="/headrace/manual"), CUSTOMER, "customer is not the event's own entity"),
        (happened(source="/headrace/manual", order={"id": "o1"}), ORDER, "order is of another customer"),
    ],
)
async def test_others_are_seen_with_crm_read_alone(event: dict[str, Any], template: str, said: str) -> None:
    """Another customer, another's order, and anybody in a run by hand, whose key its caller chose."""
    every: set[Permission] = {"crm:write", "operate", "messages:any", "events:write", "templates:publish"}
    refused = await looked(FixedRights(every), event, template)
    assert refused.startswith(said)
    assert refused.endswith("the workflow's owner lacks the permission crm:read")
    assert "error" not in str(await looked(FixedRights({"crm:read"}), event, template))
    assert isinstance(await looked(FixedRights({"crm:read"}), event, template), dict)


async def test_a_made_up_event_has_no_entity_of_its_own() -> None:
    """Who tries a workflow names whom they like."""
    assert "lacks the permission crm:read" in await looked(FixedRights(()), happened(), CUSTOMER, chosen=True)


async def test_the_refused_step_fails_by_name_and_its_batch_goes_on() -> None:
    """The log's row says what its owner lacks; the other steps are looked up in one go."""
    world = Owning(())
    tagging = action(tag="{{ current.customer.id }}")
    await world.store.crm.update_customers([CustomerUpdate("c1", {"name": "x"}), CustomerUpdate("c2", {"name": "y"})])
    other, own = await world.run(command(tagging, event=happened("c2")), command(tagging, event=happened()))
    assert other.results[0].error == (
        "current: customer is not the event's own entity, and the workflow's owner lacks the permission crm:read"
    )
    assert (other.results[0].status, own.results[0].output) == ("failed", {"tag": "c1", "applied": True})


class Owning(test_transactional.World):
    """An executor of own effects whose commands' owner has some permissions."""

    def __init__(self, permissions: Collection[Permission], kind: str = "apply_tag") -> None:
        self.rights = FixedRights(permissions)
        super().__init__(REGISTRY.find(kind), rights=self.rights)


def step(kind: str, event: dict[str, Any], **config: Any) -> Command:
    """Return a command of an action on the CRM."""
    return command(action(kind, **{**CONFIGS[kind], **config}), event=event)


def test_every_action_on_the_crm_is_tried_here() -> None:
    """One that is added has to be."""
    assert CONFIGS.keys() == ON_THE_CRM


@pytest.mark.parametrize("kind", sorted(CONFIGS))
async def test_the_events_own_entity_may_be_changed(kind: str) -> None:
    """No permission is needed, and nobody is asked."""
    world = Owning((), kind)
    (ended,) = await world.run(step(kind, happened()))
    assert ended.results[0].status == "success", ended.results[0].error
    assert world.rights.asked == []


@pytest.mark.parametrize("source", ["/shop", "/headrace/manual"])
@pytest.mark.parametrize("kind", sorted(CONFIGS))
async def test_others_are_changed_with_crm_write_alone(kind: str, source: str) -> None:
    """Whom a config names, and anybody in a run by hand. Without it nothing happens, and the row says why."""
    named = {"conversation_id": "v2"} if kind == "assign_conversation" else {"customer_id": "c2"}
    config = named if source == "/shop" else {}
    others: set[Permission] = {"crm:read", "operate", "messages:any", "events:write", "templates:publish"}
    refused = Owning(others, kind)
    (ended,) = await refused.run(step(kind, happened(source=source), **config))
    assert (ended.status, ended.results[0].attempts) == ("failed", 0)
    assert str(ended.results[0].error).endswith("and the workflow's owner lacks the permission crm:write")
    crm = refused.store.crm
    assert not any((crm.tags, crm.notes, crm.profiles, crm.appointments, crm.assignees, crm.tasks, crm.announced))
    (ended,) = await Owning({"crm:write"}, kind).run(step(kind, happened(source=source), **config))
    assert ended.status == "success"


async def test_a_conversation_of_the_event_is_no_way_to_another_customer() -> None:
    """Nor is the word that a missing conversation would be written as."""
    for event, config in ((happened("c2"), {}), (happened(conversation=None), {"conversation_id": "None"})):
        world = Owning((), "assign_conversation")
        (ended,) = await world.run(step("assign_conversation", event, **config))
        assert "crm:write" in str(ended.results[0].error)


async def test_a_batch_asks_once_for_all_owners() -> None:
    """However many of its steps need something."""
    world = Owning({"crm:write"})
    await world.run(*(command(action(tag=f"t{n}", customer_id="c2"), event=happened()) for n in range(3)))
    assert len(world.rights.asked) == 1


class Notifying(test_leased.World):
    """An executor of notifications whose commands' owner has some permissions."""

    def __init__(self, permissions: Collection[Permission]) -> None:
        self.rights = FixedRights(permissions)
        super().__init__(ReceiptStore(), kind=REGISTRY.find("send_notification"), rights=self.rights)

    async def told(self, user: str) -> str | None:
        """Send one into a user's inbox; returns its error."""
        await self.run(command(action("send_notification", user=user, title="x", body="y"), event=happened()))
        return self.ended[-1].results[0].error


async def test_another_users_inbox_needs_messages_any() -> None:
    """The owner's own does not, and asks nobody."""
    other = "11111111-1111-1111-1111-111111111111"
    refused = str(await Notifying({"crm:read", "crm:write", "operate"}).told(other))
    assert refused.startswith("user is another user's inbox")
    assert refused.endswith("lacks the permission messages:any")
    own = Notifying(())
    assert "messages:any" not in str(await own.told(OWNER))
    assert own.rights.asked == []
    assert "messages:any" not in str(await Notifying({"messages:any"}).told("{{ '" + other + "' }}"))


async def test_the_users_own_crm_is_held_the_same_way() -> None:
    """Over HTTP nothing is sent for an owner who may not."""
    world = test_over_http.Tagging(ReceiptStore(), test_over_http.APPLIED, rights=FixedRights(()))
    assert await world.run(command(action(tag="VIP", customer_id="c2"), event=happened()))
    assert "crm:write" in str(world.ended[0].results[0].error)
    assert not world.crm.requests
    assert await world.run(command(action(tag="VIP"), event=happened()))
    assert len(world.crm.requests) == 1
