"""Steps, resolved once a command: what they read, and what they say that do not compile."""

from typing import Any, Final
from uuid import UUID

import pytest

from app.actions.configs import CACHED_BYTES, compile_action
from app.actions.steps import resolve
from app.domain.conditions import ConditionError
from app.domain.errors import ActionFailedError
from tests.execution.test_leased import World
from tests.support.receipts import ReceiptStore
from tests.support.slips import WORKFLOW, action, command

URL: Final = "http://shop.example/hook"
MET: Final = [{"field": "current.order.status", "operator": "==", "value": "created"}]
BROKEN: Final = [{"field": "current.basket", "operator": "==", "value": 1}]


def _hook(body: Any = "x", **more: Any) -> Any:
    return command(action("webhook", url=URL, body=body, **more))


def test_a_step_says_what_it_reads() -> None:
    """Of ``current``, by templates and conditions; of secrets, by templates."""
    step = resolve(_hook(["{{ current.customer.name }}", "{{ secrets.KEY }}"], conditions=MET))
    assert step.current == {"customer", "order"}
    assert step.secrets == {"KEY"}
    assert step.conditions is not None


def test_a_step_without_conditions_has_none() -> None:
    """Nothing is compiled for it; nor is anything left of those that are put aside."""
    assert resolve(_hook()).conditions is None
    assert resolve(_hook(conditions=MET)).unconditional().conditions is None


@pytest.mark.parametrize("conditions", [[], MET])
def test_a_config_that_does_not_compile_reads_nothing_and_says_why_at_its_use(conditions: list[Any]) -> None:
    """Each time that it is asked for; its conditions are compiled all the same, for they are judged first."""
    step = resolve(_hook("{{ secrets.KEY", conditions=conditions))
    assert (step.current, step.secrets) == (frozenset(), frozenset())
    assert (step.conditions is not None) == bool(conditions)
    for _ in range(2):
        with pytest.raises(ActionFailedError, match=r"config\.body") as failure:
            _ = step.config
        assert failure.value.permanent


def test_conditions_that_do_not_compile_say_why_at_their_use() -> None:
    """Nothing of ``current`` is looked up for such a step; its secrets are what its config uses."""
    step = resolve(_hook(["{{ current.customer.name }}", "{{ secrets.KEY }}"], conditions=BROKEN))
    assert not step.current
    assert step.secrets == {"KEY"}
    for _ in range(2):
        with pytest.raises(ConditionError, match="must begin with") as failure:
            _ = step.conditions
        assert failure.value.path == "conditions[0].field"


def test_the_texts_of_a_template_stand_in_for_its_name() -> None:
    """The command stays as it travels; what is compiled is the action with the texts."""
    slip = command(action("send_sms", template="welcome"))
    step = resolve(slip, action("send_sms", text="hello {{ current.customer.name }}"))
    assert step.command.action.config == {"template": "welcome"}
    assert step.current == {"customer"}
    assert step.config.config.text.startswith("hello")


def test_an_action_in_the_place_of_one_that_is_gone_is_looked_up_by_its_own_config() -> None:
    """Steps come and go, and their memory is used again: each finds what its own config compiles to."""
    for number in range(2_000):
        step = resolve(_hook(f"{number % 7}"))
        assert step.config.config.body == f"{number % 7}"


async def test_what_executors_compile_takes_its_owners_share_of_the_cache() -> None:
    """However much one owner's steps have compiled, another's stays."""
    world = World(ReceiptStore())
    other: dict[str, Any] = {"url": URL, "body": "of another owner"}
    kept = compile_action("webhook", other, UUID(int=77))
    size = 100_000
    for number in range(CACHED_BYTES // (3 * size)):
        one = command(action("webhook", url=URL, body=f"{number}" + "x" * size), execution_id=UUID(int=number))
        assert one.workflow.id == WORKFLOW
        await world.run(one)
    assert compile_action("webhook", other, UUID(int=77)) is kept
