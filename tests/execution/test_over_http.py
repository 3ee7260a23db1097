"""Actions on the user's own CRM: outside effects, claimed, tried and marked like any other."""

from typing import Any, Final
from uuid import UUID

import pytest

from app.actions.base import ActionContext, LeasedAction, TransactionalAction
from app.actions.over_http import ON_THE_CRM, over_http
from app.actions.registry import REGISTRY
from app.adapters.http.crm import CrmServer, HttpCrm
from app.domain.causation import Link
from app.execution.routing import claim_of
from app.ports import HttpAnswer, OwnerRights
from schemas.command import Command
from tests.execution.test_leased import World
from tests.support.fake_http import FakeHttp
from tests.support.receipts import ReceiptStore
from tests.support.slips import WORKFLOW, action, command

SERVER: Final = CrmServer("https://crm.example", "", within=2.0)
APPLIED: Final = HttpAnswer(200, {}, '{"applied":true}')


class Tagging(World):
    """An executor of ``apply_tag`` on a CRM over HTTP, which answers as told."""

    def __init__(self, store: ReceiptStore, *answers: HttpAnswer, rights: OwnerRights | None = None) -> None:
        self.crm = FakeHttp()
        self.crm.answers = list(answers)
        made = REGISTRY.find("apply_tag")
        assert made is not None
        super().__init__(store, kind=over_http(made, self.crm_of, destination="crm.example"), rights=rights)

    def crm_of(self, context: ActionContext) -> HttpCrm:
        """Return the CRM for one command."""
        chain = context.origin.causation
        return HttpCrm(self.crm, SERVER, key=lambda: str(context.effect_id), causation=chain, within=context.within)

    @property
    def keys(self) -> list[str]:
        """Keys of what was sent."""
        return [request.headers["Idempotency-Key"] for request in self.crm.requests]


def tagging(**changes: Any) -> Command:
    """Return the command of a tag."""
    return command(action(tag="VIP"), **changes)


async def test_a_command_is_one_request_with_its_key_and_chain() -> None:
    """The key is the command's id, the chain ends with this execution; nothing happens in our own CRM."""
    world, one = Tagging(ReceiptStore(), APPLIED), tagging()
    assert await world.run(one)
    (request,) = world.crm.requests
    assert request.url == "https://crm.example/crm/customers/c1/tags/VIP"
    assert request.headers["Headrace-Causation"] == str(Link(WORKFLOW, one.execution_id))
    assert world.keys == [str(one.id)]
    assert world.ended[0].results[0].output == {"tag": "VIP", "applied": True}
    assert not world.store.crm.tags


async def test_a_crm_that_fails_is_asked_again_under_the_same_key() -> None:
    """503, then yes: one success after two attempts."""
    world, one = Tagging(ReceiptStore(), HttpAnswer(503, {}, ""), APPLIED), tagging()
    assert await world.run(one)
    assert world.keys == [str(one.id)] * 2
    assert (world.ended[0].status, world.ended[0].results[0].attempts) == ("success", 2)


async def test_a_redelivered_command_is_not_asked_for_again() -> None:
    """Its receipt answers."""
    store = ReceiptStore()
    first, second = Tagging(store, APPLIED), Tagging(store)
    assert await first.run(tagging())
    assert await second.run(tagging())
    assert not second.crm.requests
    assert second.ended[0].results == first.ended[0].results


async def test_a_crash_before_the_receipt_is_marked() -> None:
    """Asked again under the same key, and the log says uncertain."""
    store, one = ReceiptStore(), tagging()
    crashed = Tagging(store)
    await crashed.receipts.start()
    await crashed.receipts.claim([claim_of(one)])
    restarted = Tagging(store, APPLIED)
    assert await restarted.run(one)
    assert restarted.keys == [str(one.id)]
    assert restarted.ended[0].results[0].uncertain


def test_every_action_on_the_crm_goes_over_http() -> None:
    """All that our own CRM carries out, under their own names; nothing else changes."""

    def nowhere(_: ActionContext) -> HttpCrm:
        raise AssertionError

    assert {one.name for one in REGISTRY if isinstance(one, TransactionalAction)} == ON_THE_CRM
    for one in REGISTRY:
        made = over_http(one, nowhere, destination="crm.example")
        assert (made.name, made.family, made.config) == (one.name, one.family, one.config)
        assert isinstance(made, LeasedAction) == (isinstance(one, LeasedAction) or one.name in ON_THE_CRM)
        assert (made is one) == (one.name not in ON_THE_CRM)


@pytest.mark.parametrize("name", sorted(ON_THE_CRM))
def test_all_requests_of_one_crm_share_a_breaker(name: str) -> None:
    """Its host is their destination."""
    made = REGISTRY.find(name)
    assert made is not None
    over = over_http(made, lambda _: pytest.fail("is not asked"), destination="crm.example")
    assert isinstance(over, LeasedAction)
    assert over.destination(UUID(int=1)) == "crm.example"
