"""Who writes a workflow and who reads one is told the same: every operator, every type of step, in the same words."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from app.actions.base import AnyAction
from app.actions.error_words import error_in_words, steps_in_words
from app.actions.registry import REGISTRY
from app.actions.step_words import step_in_words
from app.admin.pages.assets import address
from app.domain.comparisons import OPERATORS
from app.domain.condition_words import condition_words
from app.domain.operator_words import SPOKEN, plain_words
from tests.admin.pages.conftest import Visit

_VALUES: Final[dict[str, Any]] = {
    "one": [12, 1234.5, "a “b” *c*", True, {"json": [1]}],
    "list": [["a", 2], [], [True]],
    "time": ["2026-03-01T09:30:00Z", "2026-03-01T09:30"],
    "now": [{"now": f"{sign}{amount}"} for sign in ("-", "+") for amount in ("1h", "3d", "2w")],
    "today": [{"today": True}, {"today": "-2d"}, {"today": "+1d"}],
    "none": [None],
}
_FILLED: Final[list[Any]] = [
    "{{ customer.e_mail | upper }} and  more",
    ["a@b.example", "{{ orders[0].id }}"],
    {"tier": "gold", "vip": True, "age": None},
    7,
    1.5,
    "x" * 89 + "😀😀",
]
_ERRORS: Final = [
    "line 1: customer.email is undefined", "customer.phone is undefined", "line 3: order.lines[0].e_mail is undefined",
    "no recipient", "is empty", "'x' is not one e-mail address", "must be text, not int", "holds a line break",
    "line 2: can't be computed for these values (TypeError)", "a computed name is undefined", "has 5 bytes;\nat most 4",
]  # fmt: skip
_SAY_ERRORS: Final = """async ([module, cases]) => {
  const { errorWords, stepsWords } = await import(module);
  return cases.map(([type, error]) => [errorWords(type, error), stepsWords(`step 4 (${type}): ${error}`)]);
}"""
_SAY_CONDITIONS: Final = """async ([module, cases]) => {
  const { conditionWords } = await import(module);
  return cases.map(conditionWords);
}"""
_SAY_STEPS: Final = """async ([module, cases]) => {
  const { stepWords } = await import(module);
  return cases.map(([schema, config]) => stepWords(schema, config));
}"""


def test_every_operator_has_words() -> None:
    """None is said as JSON has it, and none is offered that a condition cannot have."""
    assert {one.operator for one in SPOKEN} == set(OPERATORS)
    assert len({one.words for one in SPOKEN}) == len({one.id for one in SPOKEN}) == len(SPOKEN)
    assert all(plain_words(one) != one or " " in one or one == "contains" for one in OPERATORS)


def conditions() -> Iterator[list[Any]]:
    """Yield every operator with every kind of value, also one that it has no words for."""
    for operator in (*OPERATORS, "like"):
        yield [{"field": "order.e_total", "operator": operator}]
        for values in _VALUES.values():
            for value in values:
                yield [{"field": "order.e_total", "operator": operator, "value": value}]


def configs(action: AnyAction) -> Iterator[dict[str, Any]]:
    """Yield configs of a type: none, each field alone, and all of them, filled with all that may be written."""
    fields = list(action.config.model_fields)
    yield {}
    for value in _FILLED:
        yield from ({field: value} for field in fields)
        yield dict.fromkeys(fields, value)
        yield from ({name: value for name in fields if name != field} for field in fields)


async def test_conditions_are_said_alike(visit: Visit, somebody: Callable[..., Any]) -> None:
    """By the editor's scripts and by the pages."""
    cases = list(conditions())
    async with visit(await somebody()) as window:
        await window.go("/workflows")
        said = await window.page.evaluate(_SAY_CONDITIONS, [address("js/condition-words.js"), cases])
    assert said == [condition_words(one) for one in cases]


@pytest.mark.parametrize("action", list(REGISTRY), ids=lambda one: one.name)
def test_steps_have_words(action: AnyAction) -> None:
    """Of every type: what it does, with what; never as JSON names it."""
    step = step_in_words({"type": action.name, "config": dict.fromkeys(action.config.model_fields, "told")})
    assert step.does == action.config.model_json_schema()["title"]
    assert "told" in step.what
    assert "_" not in step.does


async def test_steps_are_said_alike(visit: Visit, somebody: Callable[..., Any]) -> None:
    """By the editor's scripts and by the pages, whatever is written and whatever is not yet."""
    cases = [(one, config) for one in REGISTRY for config in configs(one)]
    schemas = {one.name: one.config.model_json_schema() for one in REGISTRY}
    async with visit(await somebody()) as window:
        await window.go("/workflows")
        given = [(schemas[one.name], config) for one, config in cases]
        said = await window.page.evaluate(_SAY_STEPS, [address("js/step-words.js"), given])
    assert said == [step_in_words({"type": one.name, "config": config}).what for one, config in cases]
    assert len(set(said)) > len(schemas)


async def test_errors_are_said_alike(visit: Visit, somebody: Callable[..., Any]) -> None:
    """Of every field of every type, by the editor's scripts and by the pages; what names no field is left as it is."""
    cases = [
        (one.name, f"{field}{below}: {error}")
        for one in REGISTRY
        for field in (*one.config.model_fields, "HTTP 503", "nobody")
        for below in ("", "[0]", ".X-Shop")
        for error in _ERRORS
    ]
    async with visit(await somebody()) as window:
        await window.go("/workflows")
        said = await window.page.evaluate(_SAY_ERRORS, [address("js/error-words.js"), cases])

    assert said == [[error_in_words(kind, error), steps_in_words(f"step 4 ({kind}): {error}")] for kind, error in cases]
