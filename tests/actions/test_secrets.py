"""``{{ secrets.NAME }}`` in configs: where it may stand, and what comes of it."""

from typing import Any, Final

import pytest

from app.actions.configs import compile_action, validate_config
from app.actions.registry import REGISTRY
from app.domain.conditions import ConditionError, CurrentFields, compile_conditions
from app.domain.templating import TemplateError, compile_template
from tests.support.commands import context_of, prepared

TOKEN: Final = "canary-5f2c81d7-token"
HOOK: Final = {"url": "https://shop.example/hook"}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("Bearer {{ secrets.TOKEN }}", {"TOKEN"}),
        ("{{ secrets['TOKEN'] }}{{ secrets.B_2 | urlencode }}", {"TOKEN", "B_2"}),
        ("{% if order.total %}{{ secrets.TOKEN }}{% endif %}", {"TOKEN"}),
        ("{{ 'secrets' }} {{ order.secrets }} {{ order['secrets'].a }}", set()),
        ("secrets.TOKEN", set()),
    ],
)
def test_a_template_tells_which_it_uses(source: str, names: set[str]) -> None:
    """By the syntax tree, so that only those are read."""
    assert compile_template(source).secrets == names


@pytest.mark.parametrize(
    "source",
    [
        "{{ secrets }}",
        "{{ secrets[customer.id] }}",
        "{% for name in secrets %}{{ name }}{% endfor %}",
        "{% set s = secrets %}{{ s.TOKEN }}",
        "{{ secrets | json }}",
        "{{ secrets.values() | list }}",
        "{{ secrets.token }}",
        "{{ secrets.__class__ }}",
        "{{ secrets['TO KEN'] }}",
        "{{ secrets[0] }}",
        "{{ [secrets] | map(attribute='TOKEN') | join }}",
    ],
)
def test_they_cannot_be_walked(source: str) -> None:
    """One by one, each by a name that a secret can have; all else is refused on save."""
    with pytest.raises(TemplateError, match="secrets"):
        compile_template(source)
    assert [error.path for error in validate_config("webhook", {**HOOK, "body": {"a": source}})] == ["config.body.a"]


def test_a_secret_gets_where_it_is_named() -> None:
    """Into URL, headers and body; the default body has none."""
    config = {
        "url": "https://shop.example/{{ secrets.TOKEN }}",
        "headers": {"Authorization": "Bearer {{ secrets.TOKEN }}"},
        "body": {"deep": ["{{ secrets.TOKEN }}"]},
    }
    request = prepared("webhook", config, context=context_of(TOKEN=TOKEN)).http
    assert request.url.endswith(TOKEN)
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.body == b'{"deep":["' + TOKEN.encode() + b'"]}'
    assert request.body_is_secret
    plain = prepared("webhook", {**HOOK, "headers": config["headers"]}, context=context_of(TOKEN=TOKEN)).http
    assert TOKEN.encode() not in (plain.body or b"")
    assert not plain.body_is_secret


def test_the_context_does_not_show_them() -> None:
    """Not where it is printed, in a log or a traceback."""
    assert TOKEN not in repr(context_of(TOKEN=TOKEN)).replace(repr({"TOKEN": TOKEN}), "")


@pytest.mark.parametrize("action", [one for one in REGISTRY if not one.takes_secrets], ids=lambda one: str(one.name))
def test_actions_that_write_here_take_none(action: Any) -> None:
    """What they write is kept in the clear: each templated field refuses a secret, with the reason."""
    templated = {
        name: "{{ secrets.TOKEN }}"
        for name, field in action.config.model_fields.items()
        if any(type(mark).__name__ == "Templated" for mark in field.metadata)
    }
    for name, source in templated.items():
        errors = {error.path: error.message for error in validate_config(action.name, {name: source})}
        if f"config.{name}" in errors:
            continue
        whole = validate_config(action.name, {**_least(action.name), name: source})
        assert [(e.path, "cannot use secrets" in e.message) for e in whole] == [(f"config.{name}", True)]


def _least(name: str) -> dict[str, Any]:
    """The least config of an action type."""
    least: dict[str, dict[str, Any]] = {
        "delay": {"duration": "1h"},
        "apply_tag": {"tag": "a"},
        "remove_tag": {"tag": "a"},
        "create_note": {"text": "a"},
        "create_task": {"title": "a"},
        "create_appointment": {"title": "a", "starts_at": "2026-03-01T12:00:00Z"},
        "assign_conversation": {"assignee": "a"},
        "update_customer": {"set": {"a": "b"}},
        "send_notification": {"user": "6f1c1f0e-3a52-4a53-9a56-0d5d3f1c2b11", "title": "a", "body": "a"},
        "stop_workflow": {},
    }
    return least[name]


@pytest.mark.parametrize("action_type", ["webhook", "send_email", "send_sms", "send_whatsapp"])
def test_actions_that_go_outside_take_them(action_type: str) -> None:
    """What they send is somebody else's to keep."""
    found = REGISTRY.find(action_type)
    assert found is not None
    assert found.takes_secrets


def test_a_config_tells_which_it_uses() -> None:
    """In all of its templates, and by name in ``sign_with``."""
    config = {
        **HOOK,
        "headers": {"A": "{{ secrets.A }}", "B": "x"},
        "body": [{"c": "{{ secrets.C }}"}],
        "sign_with": "S",
    }
    assert compile_action("webhook", config).config.secrets == {"A", "C", "S"}


@pytest.mark.parametrize("field", ["secrets.TOKEN", "secrets"])
def test_conditions_cannot_use_them(field: str) -> None:
    """They would leave their value in a verdict: refused on save, with the path and the reason."""
    modes: tuple[CurrentFields, ...] = ("read", "refused")
    for mode in modes:
        with pytest.raises(ConditionError, match=r"secrets can be used in templates of actions only") as failure:
            compile_conditions([{"field": field, "operator": "==", "value": "x"}], current=mode)
        assert failure.value.path == "conditions[0].field"
