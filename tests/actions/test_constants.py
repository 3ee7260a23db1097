"""What is written outright, and would be refused in every run, is refused on save, in the same words."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.actions.configs import compile_action, validate_config
from app.actions.registry import REGISTRY
from app.actions.templated import templated_fields
from app.domain.errors import ActionFailedError
from tests.support.commands import context_of, failure_of

# A config of each type that can be carried out, with every templated field in it that can be beside the others.
WHOLE: Final[Mapping[str, Mapping[str, Any]]] = {
    "send_email": {
        "to": ["a@b.example", "c@d.example"],
        "cc": ["a@b.example"],
        "bcc": ["a@b.example"],
        "reply_to": "a@b.example",
        "subject": "a",
        "text": "a",
        "html": "a",
    },
    "send_notification": {"user": "123e4567-e89b-42d3-a456-426614174000", "title": "a", "body": "a"},
    "send_sms": {"to": "+4930123456", "text": "a"},
    "send_whatsapp": {
        "to": "+4930123456",
        "meta_template": "a",
        "language": "en",
        "header": "a",
        "parameters": ["a", "b"],
    },
    "apply_tag": {"tag": "a", "customer_id": "c-1"},
    "remove_tag": {"tag": "a", "customer_id": "c-1"},
    "create_note": {"text": "a", "customer_id": "c-1"},
    "update_customer": {"set": {"plan": "a"}, "customer_id": "c-1"},
    "create_appointment": {
        "title": "a",
        "starts_at": "1d",
        "ends_at": "30000d",
        "assignee": "a",
        "customer_id": "c-1",
    },
    "assign_conversation": {"assignee": "a", "conversation_id": "c", "customer_id": "c-1"},
    "create_task": {"title": "a", "description": "a", "assignee": "a", "due": "1d", "customer_id": "c-1"},
    "webhook": {"url": "https://a.example", "headers": {"X-Shop": "a"}, "body": {"a": ["b"]}},
    "delay": {"duration": "1h", "timezone": "UTC", "at": "09:00", "offset": "+1h", "days": ["mon"]},
    "stop_workflow": {"reason": "a"},
}


def _templated(kind: str) -> list[str]:
    found = REGISTRY.find(kind)
    assert found is not None
    return [name for name in WHOLE[kind] if name in templated_fields(found.config)]


FIELDS: Final = [(kind, field) for kind in WHOLE for field in _templated(kind)]
# What somebody writes, and what nobody should: empty, blank, unseen, of several lines, too long, of another kind.
WRITTEN: Final = st.one_of(
    st.sampled_from(
        (
            *("", " ", "\u200b", "a\nb", "a\tb", "a     b", "a\x00b", "a\x07b", "a" * 300, "a" * 5_000, "a" * 300_000),
            *("+4930123456", "12345", "a@b.example", "a@b", "2h", "-3d", "soon", "2035-01-01", "2020-01-01T00:00:00Z"),
            *("https://a.example/x y", "https://a b.example", "http://a:99999", "ftp://a", "http://u:p@a.example"),
            *("http://[::1", "http://[::1]/", "http://a,b/", "09:00", "mon-fri", "Europe/Berlin"),
        )
    ),
    st.text(max_size=20).filter(lambda text: "{" not in text),
)


def _with(kind: str, field: str, written: str) -> dict[str, Any]:
    """Return the type's config with a text in a field: as its first item where it has several."""
    whole = WHOLE[kind][field]
    match whole:
        case list():
            value: Any = [written, *whole[1:]]
        case dict():
            first, *_ = whole
            value = {**whole, first: written}
        case _:
            value = written
    return {**WHOLE[kind], field: value}


def _fails_in_a_run(kind: str, config: dict[str, Any]) -> bool:
    try:
        compiled = compile_action(kind, config)
        compiled.action.prepare(compiled.config, context_of())
    except ActionFailedError:
        return True
    return False


def test_every_type_and_every_templated_field_is_looked_at() -> None:
    """None is forgotten, but those that go without another: a text beside a template's, a moment beside a duration."""
    assert set(WHOLE) == set(REGISTRY.names())
    left = {(one.name, name) for one in REGISTRY for name in templated_fields(one.config)} - set(FIELDS)
    assert left == {("send_whatsapp", "text"), ("delay", "until")}
    assert [kind for kind, config in WHOLE.items() if validate_config(kind, dict(config))] == []


@pytest.mark.parametrize(("kind", "field"), FIELDS)
@given(written=WRITTEN)
def test_a_save_refuses_what_no_run_would_do(kind: str, field: str, written: str) -> None:
    """Whatever is written outright: a save refuses exactly what every run would fail over."""
    config = _with(kind, field, written)
    refused = validate_config(kind, config)
    assert bool(refused) == _fails_in_a_run(kind, config), [(error.path, error.message[:200]) for error in refused]


@pytest.mark.parametrize(
    ("kind", "config", "wrong"),
    [
        ("webhook", {"url": "https://a b.example/"}, {"url": "is no URL: its host is none"}),
        ("webhook", {"url": "https://a.example", "headers": {"X-A": "a\nb"}}, {"headers.X-A": "holds a line break"}),
        ("webhook", {"url": "https://a.example/x y?q=1 2"}, {}),
        ("apply_tag", {"tag": "a\nb", "customer_id": " "}, {"tag": "holds a line break", "customer_id": "is empty"}),
        ("send_sms", {"to": "12345", "text": "a"}, {"to": "'12345' is no phone number such as +4930123456"}),
        (
            "send_email",
            {"to": "x, y@z.example", "subject": "a", "text": "b"},
            {"to[0]": "'x' is not one e-mail address"},
        ),
        ("send_email", {"to": [" "], "subject": "a", "text": "b"}, {"to": "no recipient"}),
        (
            "send_whatsapp",
            {"meta_template": "a", "language": "en", "parameters": ["a", "b\nc"], "header": ""},
            {"header": "is empty", "parameters[1]": "holds a line break"},
        ),
        (
            "send_whatsapp",
            {"meta_template": "a", "language": "en", "parameters": 3},
            {"parameters": "must be an array"},
        ),
        (
            "create_appointment",
            {"title": "a", "starts_at": "3d", "ends_at": "2h"},
            {"ends_at": "must be after starts_at"},
        ),
        ("create_appointment", {"title": "a", "starts_at": "2035-01-01", "ends_at": "2h"}, {}),
        ("create_appointment", {"title": "a", "starts_at": "{{ order.day }}", "ends_at": "2h"}, {}),
        ("send_notification", {"user": "me", "title": "a", "body": "b"}, {"user": "'me' is no user's id"}),
    ],
)
def test_each_wrong_constant_is_named(kind: str, config: dict[str, Any], wrong: dict[str, str]) -> None:
    """With the path to it and what is wrong; all of them at once."""
    assert {error.path.removeprefix("config."): error.message for error in validate_config(kind, config)} == wrong


def test_what_was_saved_before_fails_where_it_failed() -> None:
    """In a run, by the field's name: a revision that was saved without the rule is read as it is."""
    assert failure_of("apply_tag", {"tag": "a\nb"}) == "tag: holds a line break"
    assert failure_of("webhook", {"url": "https://a b.example/"}) == "url: is no URL: its host is none"
