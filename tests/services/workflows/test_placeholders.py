"""Placeholders: what a value of each type may be, where values go, and what is blamed."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.domain.errors import InvalidError
from app.services.workflows.placeholders.declarations import declaration_errors, read_values, sample
from app.services.workflows.placeholders.filling import fill, named_at
from app.services.workflows.placeholders.form import form_schema
from app.services.workflows.placeholders.values import as_text, read_value
from schemas.placeholder import Placeholder


def one(kind: str, **more: Any) -> Placeholder:
    """A placeholder of a type."""
    return Placeholder.model_validate({"name": "it", "type": kind, "label": "It", **more})


TAKEN: list[tuple[Placeholder, Any, Any, str]] = [
    (one("text"), "Hi {{ customer.name }}", "Hi {{ customer.name }}", "Hi {{ customer.name }}"),
    (one("number", minimum=1, maximum=2.5), 2.5, 2.5, "2.5"),
    (one("integer"), 7.0, 7, "7"),
    (one("money", minimum=10), "49.90", 49.9, "49.90"),
    (one("money"), 1000, 1000, "1000.00"),
    (one("boolean"), True, True, "true"),
    (one("duration", minimum="1h", maximum="30 days"), "3 days", "3d", "3d"),
    (one("duration"), 90, "90s", "90s"),
    (one("duration"), "PT36H", "36h", "36h"),
    (one("time"), "09:30", "09:30", "09:30"),
    (one("timezone"), "Europe/Berlin", "Europe/Berlin", "Europe/Berlin"),
    (one("choice", choices=[{"value": 1}, {"value": "one"}]), 1, 1, "1"),
    (one("email"), " ada@example.com ", "ada@example.com", "ada@example.com"),
    (one("phone"), "+49 30 901820", "+4930901820", "+4930901820"),
    (one("url"), "https://example.com/x?y=1", "https://example.com/x?y=1", "https://example.com/x?y=1"),
    (one("tag"), "VIP", "VIP", "VIP"),
    (one("channel"), "sales team", "sales team", "sales team"),
    (one("message_template"), "welcome", "welcome", "welcome"),
    (one("secret"), "CRM_KEY", "CRM_KEY", "CRM_KEY"),
]


@pytest.mark.parametrize(("placeholder", "given", "value", "text"), TAKEN)
def test_a_value_is_taken_as_its_type(placeholder: Placeholder, given: Any, value: Any, text: str) -> None:
    """By itself it is what the type says, a number for a number; in a text it is written out."""
    read = read_value(placeholder, given)
    assert (read, type(read), as_text(placeholder, read)) == (value, type(value), text)


@pytest.mark.parametrize(
    ("placeholder", "given", "said"),
    [
        (one("text", max_length=3), "four", "at most 3 characters"),
        (one("text", min_length=1), "", "at least 1 character"),
        (one("text"), "a\x00b", "a text"),
        (one("text"), 3, "a text"),
        (one("number"), True, "a number"),
        (one("number", minimum=1), 0.5, "at least 1"),
        (one("number"), "5", "a number"),
        (one("number"), float("inf"), "a number"),
        (one("integer"), 1.5, "a whole number"),
        (one("integer"), True, "a whole number"),
        (one("integer"), float("inf"), "a whole number"),
        (one("money"), "49.999", "two decimals"),
        (one("money"), 0.001, "two decimals"),
        (one("money"), float("nan"), "two decimals"),
        (one("money"), "1e5", "two decimals"),
        (one("money", maximum=10), "10.01", "at most 10"),
        (one("boolean"), 1, "true or false"),
        (one("boolean"), "true", "true or false"),
        (one("duration"), "soon", "a duration"),
        (one("duration", maximum="7d"), "8 days", "at most 7d"),
        (one("duration"), 0.5, "whole seconds"),
        (one("time"), "9 o'clock", "a time of day"),
        (one("timezone"), "Mars/Base", "IANA"),
        (one("choice", choices=[{"value": 1}]), True, "one of 1"),
        (one("email"), "ada", "one e-mail address"),
        (one("email"), "a@example.com, b@example.com", "one e-mail address"),
        (one("phone"), "030 901820", "country code"),
        (one("url"), "ftp://example.com", "http:// or https://"),
        (one("url"), "https://exa mple.com", "http:// or https://"),
        (one("url"), "https://[x", "http:// or https://"),
        (one("tag"), "a\nb", "one line"),
        (one("channel"), "", "a name"),
        (one("secret"), "crm key", "capitals"),
    ],
)
def test_a_value_that_is_none_of_the_type_is_refused(placeholder: Placeholder, given: Any, said: str) -> None:
    """And what one would be is said."""
    with pytest.raises(ValueError, match=said):
        read_value(placeholder, given)


@pytest.mark.parametrize(
    ("declared", "path"),
    [
        ([one("text", minimum=1)], "placeholders[0].minimum"),
        ([one("number", max_length=3)], "placeholders[0].max_length"),
        ([one("text", currency="EUR")], "placeholders[0].currency"),
        ([one("choice")], "placeholders[0].choices"),
        ([one("choice", choices=[{"value": 1}], default=2)], "placeholders[0].default"),
        ([one("number", minimum=3, maximum=1)], "placeholders[0].maximum"),
        ([one("duration", minimum="soon")], "placeholders[0].minimum"),
        ([one("duration", minimum="2d", maximum="1h")], "placeholders[0].maximum"),
        ([one("money", minimum=10, default=5)], "placeholders[0].default"),
        ([one("text", min_length=5, max_length=3)], "placeholders[0].max_length"),
        ([one("text"), one("number")], "placeholders[1].name"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_named(declared: list[Placeholder], path: str) -> None:
    """Bounds that its type does not have, that exclude each other or the default; a choice without any; a twin."""
    assert [error.path for error in declaration_errors(declared)] == [path]


@pytest.mark.parametrize(("placeholder", "given"), [(kept[0], kept[1]) for kept in TAKEN])
def test_the_form_takes_what_is_taken_and_samples_are_values(placeholder: Placeholder, given: Any) -> None:
    """The JSON Schema is one, it holds for a value that is taken, and the sample in its place is such a value."""
    schema = form_schema("T", [placeholder])
    Draft202012Validator.check_schema(schema)
    assert Draft202012Validator(schema).is_valid({"it": given})
    assert not Draft202012Validator(schema).is_valid({})
    assert not Draft202012Validator(schema).is_valid({"it": given, "other": 1})
    assert Draft202012Validator(schema).is_valid({"it": sample(placeholder)})
    assert read_value(placeholder, sample(placeholder)) == sample(placeholder)


def test_the_form_says_what_a_declaration_says() -> None:
    """Label, help, default, bounds, choices and currency; what has a default is not required."""
    declared = [
        one("money", help="How much", default=5, minimum=1, currency="EUR"),
        Placeholder(name="tone", type="choice", label="Tone", choices=[{"value": "warm", "label": "Warm"}]),
        Placeholder(name="wait", type="duration", label="Wait", minimum="1h", required=False),
    ]
    schema = form_schema("T", declared)
    assert schema["required"] == ["tone"]
    money = schema["properties"]["it"]
    assert (money["title"], money["description"], money["default"], money["minimum"], money["x-currency"]) == (
        "It", "How much", 5, 1, "EUR",
    )  # fmt: skip
    assert schema["properties"]["tone"]["oneOf"] == [{"const": "warm", "title": "Warm"}]
    assert schema["properties"]["wait"]["x-minimum"] == "1h"


def test_every_wrong_value_is_named_at_once() -> None:
    """Missing, of the wrong type, out of bounds, of no placeholder: with the nearest name where there is one."""
    declared = [
        Placeholder(name="subject", type="text", label="Subject"),
        Placeholder(name="amount", type="money", label="Amount", maximum=10),
        Placeholder(name="wait", type="duration", label="Wait", default="1h"),
        Placeholder(name="note", type="text", label="Note", required=False),
    ]
    _, errors = read_values(declared, {"amount": 11, "wait": "soon", "subjct": "x"})
    said = {error.path: error.message for error in errors}
    assert set(said) == {f"placeholders.{name}" for name in ("subject", "amount", "wait", "subjct")}
    assert "did you mean subject?" in said["placeholders.subjct"]
    assert said["placeholders.subject"] == "is needed: Subject"
    read = {"subject": "S", "amount": 9.9, "wait": "1h", "note": None}
    assert read_values(declared, {"subject": "S", "amount": "9.90"}) == (read, [])


def test_values_go_where_their_marks_are() -> None:
    """A mark alone becomes the value, within a text it is written out; one left out leaves its member out."""
    declared = [
        Placeholder(name="amount", type="money", label="Amount"),
        Placeholder(name="copy", type="email", label="Copy", required=False),
    ]
    draft = {
        "name": "Over [[amount]]",
        "description": "[[copy]]",
        "trigger": {"type": "temporal.daily", "config": {"at": "[[amount]]"}},
        "reentry": "[[amount]]",
        "conditions": [{"field": "order.total", "operator": ">", "value": "[[ amount ]]"}],
        "actions": [{"config": {"subject": "[[amount]] and [[other]]", "cc": ["[[copy]]"], "reply_to": "[[copy]]"}}],
    }
    assert fill(draft, declared, {"amount": 50, "copy": None}) == {
        "name": "Over 50.00",
        "trigger": {"type": "temporal.daily", "config": {"at": 50}},
        "reentry": "[[amount]]",
        "conditions": [{"field": "order.total", "operator": ">", "value": 50}],
        "actions": [{"config": {"subject": "50.00 and [[other]]", "cc": []}}],
    }
    assert named_at(draft, "actions[0].config") == ["amount", "other", "copy"]
    assert named_at(draft, "actions[0].config.cc[0]") == ["copy"]
    assert named_at(draft, "") == []


def test_values_cannot_blow_a_workflow_up() -> None:
    """Small marks and a long text: refused while it is filled, not after gigabytes."""
    declared = [Placeholder(name="it", type="text", label="It")]
    with pytest.raises(InvalidError, match="too large"):
        fill({"description": "[[it]]" * 100_000}, declared, {"it": "x" * 10_000})
