"""Configs: wrong ones are refused on save with the path to each field; good ones are compiled once."""

from typing import Any

import pytest

from app.actions.configs import compile_action, validate_config
from app.actions.families import FAMILIES
from app.actions.registry import REGISTRY, Listed, Registry
from app.actions.templated import templated_fields
from app.domain.errors import ActionFailedError
from tests.support.commands import failure_of, prepared, wrong_paths


@pytest.mark.parametrize(
    ("action_type", "config", "paths"),
    [
        ("apply_tag", {"tag": "VIP"}, []),
        ("apply_tag", {}, ["config.tag"]),
        ("apply_tag", {"tag": "VIP", "colour": "red"}, ["config.colour"]),
        ("apply_tag", {"tag": "{{ customer.name", "customer_id": "{% if %}"}, ["config.tag", "config.customer_id"]),
        ("webhook", {"url": "https://a.example", "headers": {"X-Shop": "{{"}}, ["config.headers.X-Shop"]),
        ("webhook", {"url": "https://a.example", "body": {"a": ["x", "{{ }"]}}, ["config.body.a[1]"]),
        ("send_email", {"subject": "s", "text": "t", "to": ["a@b.example", "{{"]}, ["config.to[1]"]),
        ("send_email", {"subject": 7, "text": "t"}, ["config.subject"]),
        ("teleport", {}, ["config"]),
    ],
)
def test_each_wrong_field_is_named(action_type: str, config: dict[str, Any], paths: list[str]) -> None:
    """What is wrong is refused on save, with the path to the field: shape, unknown keys, templates."""
    assert wrong_paths(action_type, config) == paths


@pytest.mark.parametrize(
    ("action_type", "config", "said"),
    [
        ("webhook", {"body": ' {"order": {"id": 1, "\\u0069d": 2}}'}, "holds JSON in which order.id is given"),
        ("webhook", {"body": '[{"a": 1}, {"b": 1, "b": "{{ x }}"}]'}, "holds JSON in which [1].b is given"),
        ("update_customer", {"set": {"plan": '{"a": 1, "a": 2}'}}, "plan: holds JSON in which a is given"),
        ("webhook", {"body": '{"a": 1, "b": {"a": 1}}'}, None),
        ("webhook", {"body": '{"a": 1, {% if x %}"a": 2{% endif %}}'}, None),
        ("webhook", {"body": "[" * 100_000}, None),
        ("update_customer", {"set": {"plan": "{gold}", "size": 7}}, None),
    ],
)
def test_json_as_text_has_each_key_once(action_type: str, config: dict[str, Any], said: str | None) -> None:
    """It is refused on save with the key's path; what was saved before goes on."""
    whole = {**({"url": "https://a.example"} if action_type == "webhook" else {}), **config}
    errors = validate_config(action_type, whole)
    assert [error.message.partition(" more than once")[0] for error in errors] == ([said] if said else [])
    if said:
        assert compile_action(action_type, whole) is not None


def test_paths_begin_where_the_caller_says() -> None:
    """A caller that checks a whole workflow gets the path from its root."""
    errors = validate_config("apply_tag", {"tag": 1}, path="actions[2].config")
    assert [error.path for error in errors] == ["actions[2].config.tag"]


def test_a_config_is_compiled_once() -> None:
    """The same config, its keys in whatever order, is compiled once; another one is another."""
    first = compile_action("apply_tag", {"tag": "a", "customer_id": "b"})
    assert compile_action("apply_tag", {"customer_id": "b", "tag": "a"}) is first
    assert compile_action("apply_tag", {"tag": "a", "customer_id": "c"}) is not first


def test_a_config_that_no_longer_holds_fails_its_action_for_good() -> None:
    """A stored revision that today's model refuses is a permanent failure that names the field."""
    with pytest.raises(ActionFailedError, match="tag") as failure:
        compile_action("apply_tag", {"tag": 7})
    assert failure.value.permanent


def test_an_undefined_variable_fails_by_field_and_name() -> None:
    """Strict templates: the failure names the field and the variable; default() opts out."""
    text = failure_of("apply_tag", {"tag": "{{ customer.nickname }}"})
    assert "tag" in text
    assert "nickname" in text
    assert prepared("apply_tag", {"tag": "{{ customer.nickname | default('none') }}"}).tag == "none"


def test_the_registry_refuses_duplicates() -> None:
    """Two types of one name cannot be registered."""
    with pytest.raises(ValueError, match="apply_tag"):
        Registry((Listed("apply_tag", "crm", "ApplyTag"), Listed("apply_tag", "crm", "ApplyTag")))


def test_a_type_is_listed_as_what_it_is() -> None:
    """The list's name and family are those of the class, of every type; another family is told when it is loaded."""
    for family in FAMILIES:
        assert [action.name for action in REGISTRY.of_family(family)] == REGISTRY.names(family)
    with pytest.raises(ValueError, match="listed as another"):
        Registry([Listed("apply_tag", "system", "ApplyTag")]).find("apply_tag")


def test_the_registry_knows_types_by_name_and_family() -> None:
    """Every type is found by its name, and each belongs to one family."""
    names = [
        action.name for family in ("notification", "crm", "workflow", "system") for action in REGISTRY.of_family(family)
    ]
    assert sorted(names) == sorted(REGISTRY.names())
    assert [REGISTRY.find(name) is not None for name in names] == [True] * len(names)
    assert REGISTRY.find("teleport") is None


def test_json_schemas_say_what_is_a_template() -> None:
    """The published schema of each type is JSON, refuses unknown keys and marks templated fields for editors."""
    for action in REGISTRY:
        schema = action.config.model_json_schema()
        assert schema["additionalProperties"] is False
        marked = {name for name, field in schema["properties"].items() if "x-template" in field}
        assert marked == set(templated_fields(action.config))
    email = REGISTRY.find("send_email")
    assert email is not None
    fields = email.config.model_json_schema()["properties"]
    assert (fields["html"]["x-template"], fields["to"]["default"]) == ("html", ["{{ customer.email }}"])
    assert {"type": "string"} in fields["to"]["anyOf"]
