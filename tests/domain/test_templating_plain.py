"""Templates of texts and paths: the quick way must say what Jinja says."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.templating import MAX_OUTPUT, Template, TemplateError, TemplateFailure, compile_template
from app.domain.templating.plain import plain_parts, render_plain

NAMES = st.sampled_from(["a", "b", "items", "true", "none", "not", "self", "loop", "range", "x_1"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
SPACES = st.sampled_from(["", " ", "  ", "\t"])
PLACES = st.builds(lambda path, left, right: f"{{{{{left}{path}{right}}}}}", PATHS, SPACES, SPACES)
TEXTS = st.sampled_from(["", "Dear ", "{", "}", "\n", "\r\n", "{# c #}", "{% if a %}y{% endif %}", "é", "%}", "\\"])
SOURCES = st.lists(PLACES | TEXTS, max_size=5).map("".join)
_VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -5,
    2**63 - 1,
    2**63,
    -(2**64),
    1.5,
    651.26,
    1e22,
    -0.0,
    5e-324,
    float("inf"),
    "x",
    "<b>",
    "",
    [1],
    {},
]
LEAVES = st.sampled_from(_VALUES)
SCOPES = st.dictionaries(
    NAMES, LEAVES | st.dictionaries(NAMES, LEAVES | st.dictionaries(NAMES, LEAVES, max_size=3), max_size=4), max_size=6
)


def said(render: Any, scope: dict[str, Any]) -> tuple[str, str]:
    """Return what a render came to: its text, or its error."""
    try:
        return "text", render(scope)
    except TemplateFailure as error:
        return "error", str(error)


@given(SOURCES, SCOPES)
@example("{{{ a }}", {"a": 1})
@example("{{ a }}}", {"a": 1})
@example("{{ range }}", {"range": "mine"})
@example("{{ a.items }}", {"a": {"items": 3}})
@example("{{ a }}", {"a": True})
@example("{{ a }}", {"a": 5e-324})
@example("{{ a }}", {"a": 1e22})
@example("{{ a }}", {"a": -0.0})
@example("{{ true }}", {"true": 5})
@example("{{ false }}", {"false": 5})
@example("{{ none }}", {"none": 5})
@example("{{ True }}", {"True": 5})
@example("{{ False }}", {"False": 5})
@example("{{ None }}", {"None": 5})
@example("{{ self }}", {"self": 5})
@example("{{ loop }}", {"loop": 5})
def test_the_quick_way_says_what_jinja_says(source: str, scope: dict[str, Any]) -> None:
    """Whatever the template and the values: the same text, or the same error."""
    try:
        template = compile_template(source)
    except TemplateError:
        return
    assert said(template.render, scope) == said(template._render, scope)  # noqa: SLF001 - Jinja's own answer


@pytest.mark.parametrize(
    "source", ["t{{ order.id }}", "{{ order.total }}", "{{a}}", "Dear {{ customer.name }},\n{{ order.id }} is here", ""]
)
def test_ordinary_templates_take_the_quick_way(source: str) -> None:
    """Texts and paths are recognised, with or without spaces."""
    parts = plain_parts(source)
    assert parts is not None
    scope = {"a": "x", "order": {"id": 7, "total": 651.26}, "customer": {"name": "Ada"}}
    assert render_plain(parts, scope, MAX_OUTPUT) == re.sub(
        r"\{\{ *([a-z.]+) *\}\}",
        lambda found: {"a": "x", "order.id": "7", "order.total": "651.26", "customer.name": "Ada"}[found[1]],
        source,
    )


def test_html_never_takes_the_quick_way() -> None:
    """What variables bring in is escaped there."""
    assert compile_template("{{ a }}", html=True).render({"a": "<b>"}) == "&lt;b&gt;"


def test_the_output_stays_bounded() -> None:
    """A long value fails as it does in any template."""
    template: Template = compile_template("{{ a }}{{ a }}")
    with pytest.raises(TemplateFailure):
        template.render({"a": "x" * (MAX_OUTPUT // 2 + 1)})
