"""The words of message templates in the executor: read when the step runs, and not part of the slip."""

from typing import Any
from uuid import UUID

from app.actions.send_email import SendEmail
from app.ports import MessageText
from schemas.command import Command
from schemas.result import ActionResult
from tests.execution.test_leased import World
from tests.support.receipts import ReceiptStore
from tests.support.records import cloud_event
from tests.support.slips import action, command

OWNER = UUID(int=9)
UNMET = [{"field": "nothing", "operator": "==", "value": 1}]


def _world(text: str | None = "Hello {{ customer.name }}") -> World:
    world = World(ReceiptStore(), kind=SendEmail())
    if text is not None:
        world.store.texts.stored[OWNER, "email", "welcome"] = MessageText("Welcome", text, "")
    return world


def _event(**data: Any) -> dict[str, Any]:
    customer = {"id": "c1", "name": "Ada", "email": "ada@customers.example"}
    return {**cloud_event(), "data": {"customer": customer, **data}}


async def test_the_template_is_sent_and_the_slip_names_it_still() -> None:
    """Two steps by one template: rendered with what the first step's scope holds; the second finds the edit."""
    world = _world()
    steps = [action("send_email", order, template="welcome") for order in (1, 2)]
    assert await world.run(command(*steps, event=_event()))
    (passed,) = world.sender.on("t.actions.send_email")
    assert b'"template":"welcome"' in (passed.value or b"")
    assert b"Hello" not in (passed.value or b"")
    world.store.texts.stored[OWNER, "email", "welcome"] = MessageText("Edited", "Bye {{ results[0].status }}", "")
    assert await world.run(command(*steps, event=_event(), step=1, results=_results(world)))
    assert [(mail.subject, mail.text) for mail in world.mailer.messages] == [
        ("Welcome", "Hello Ada"),
        ("Edited", "Bye success"),
    ]


def _results(world: World) -> list[ActionResult]:
    (passed,) = world.sender.on("t.actions.send_email")
    return Command.model_validate_json(passed.value or b"").results


async def test_a_template_that_is_gone_fails_the_step_by_name() -> None:
    """Nothing is sent, the log names the template, and the execution goes on."""
    world = _world(None)
    assert await world.run(command(action("send_email", template="welcome"), event=_event()))
    (ended,) = world.ended
    assert ended.results[0].error == "template: there is no email template named 'welcome'"
    assert not world.mailer.messages


async def test_a_step_whose_conditions_do_not_hold_is_skipped_all_the_same() -> None:
    """What it would have sent does not matter then, nor whether it is there."""
    world = _world(None)
    assert await world.run(command(action("send_email", template="welcome", conditions=UNMET), event=_event()))
    assert world.ended[0].results[0].status == "skipped"


async def test_a_mistake_in_a_template_names_part_and_variable() -> None:
    """As if the text stood in the config."""
    world = _world("Hello {{ customer.nickname }}")
    assert await world.run(command(action("send_email", template="welcome"), event=_event()))
    assert world.ended[0].results[0].error == "text: line 1: customer.nickname is undefined"


async def test_templates_see_what_is_current() -> None:
    """A template that names current.order has it looked up, though the config itself does not name it."""
    world = _world("Total {{ current.order.total }}")
    world.store.crm.orders_by_id["o-1"] = {"id": "o-1", "total": "7.00"}
    assert await world.run(command(action("send_email", template="welcome"), event=_event(order={"id": "o-1"})))
    assert world.mailer.messages[0].text == "Total 7.00"


async def test_without_a_template_nothing_is_looked_up() -> None:
    """Words of one's own cost no look."""
    world = _world()
    own = action("send_email", subject="s", text="t")
    assert await world.run(command(own, event=_event()))
    assert len(world.mailer.messages) == 1
    assert not world.store.texts.asked
