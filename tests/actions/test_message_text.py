"""Words of messages: an action's own or a message template's, never both, and checked the same."""

from typing import Any

import pytest

from app.actions.base import AnyAction
from app.actions.configs import compile_action
from app.actions.message_text import refuse_unfound, template_named, with_text
from app.actions.registry import REGISTRY
from app.domain.errors import ActionFailedError
from app.ports import MessageText
from tests.support.commands import context_of, prepared, wrong_paths

WELCOME = MessageText("Hello {{ customer.name }}", "Welcome, {{ customer.name }}", "<p>{{ customer.name }}</p>")
WITH_TEXT = [action for action in REGISTRY if action.message_text is not None]


@pytest.mark.parametrize(
    ("kind", "config", "paths"),
    [
        ("send_email", {"template": "welcome"}, []),
        ("send_email", {"template": "welcome", "to": "a@b.example"}, []),
        ("send_email", {"template": "welcome", "subject": "s"}, ["config.subject"]),
        ("send_email", {"template": "welcome", "text": "t", "html": "h"}, ["config.text", "config.html"]),
        ("send_email", {"template": "Welcome!"}, ["config.template"]),
        ("send_email", {"template": "{{ name }}"}, ["config.template"]),
        ("send_email", {"template": "w" * 101}, ["config.template"]),
        ("send_email", {"text": "t"}, ["config.subject"]),
        ("send_email", {"subject": "", "text": "t"}, ["config.subject"]),
        ("send_sms", {"template": "welcome"}, []),
        ("send_sms", {"template": "welcome", "text": "t"}, ["config.text"]),
        ("send_sms", {"text": ""}, ["config.text"]),
        ("send_whatsapp", {"template": "welcome"}, []),
        ("send_whatsapp", {"template": "welcome", "text": "t"}, ["config.text"]),
        ("send_whatsapp", {"template": "w", "meta_template": "w", "language": "de"}, ["config.meta_template"]),
        ("send_whatsapp", {"template": "welcome", "language": "de"}, ["config.language"]),
    ],
)
def test_a_template_stands_in_place_of_the_words(kind: str, config: dict[str, Any], paths: list[str]) -> None:
    """Both, or neither, is refused on save with the path to the field; the rest of the config stays."""
    assert wrong_paths(kind, config) == paths


def test_what_is_sent_is_what_the_words_would_have_sent() -> None:
    """The template's texts go where the config's own would stand: rendered, the HTML part escaped."""
    action = REGISTRY.find("send_email")
    assert action is not None
    assert action.message_text is not None
    config = with_text(action.message_text, {"template": "welcome", "to": "a@b.example"}, WELCOME)
    mail = prepared("send_email", config)
    assert (list(mail.to), mail.subject, mail.text) == (["a@b.example"], "Hello Ada <b>", "Welcome, Ada <b>")
    assert mail.html == "<p>Ada &lt;b&gt;</p>"


@pytest.mark.parametrize("action", WITH_TEXT, ids=lambda action: action.name)
def test_every_action_with_words_takes_a_template(action: AnyAction) -> None:
    """Each part that its kind has gets to a field, and what comes out is a valid config."""
    assert action.message_text is not None
    parts = MessageText("s", "t", "h")
    config = with_text(action.message_text, {**action.message_text.example, "template": "x"}, parts)
    assert not wrong_paths(action.name, config)
    assert {field: config[field] for field in action.message_text.parts} == {
        field: getattr(parts, part) for field, part in action.message_text.parts.items()
    }


def test_a_template_that_nobody_found_fails_by_name() -> None:
    """Whatever prepares a config that still names its template hears which one is missing."""
    action = REGISTRY.find("send_sms")
    assert action is not None
    with pytest.raises(ActionFailedError, match="template: there is no sms template named 'welcome'") as failure:
        refuse_unfound(action, {"template": "welcome"})
    assert failure.value.permanent
    refuse_unfound(action, {"text": "t"})


def test_actions_without_words_have_no_templates() -> None:
    """A webhook's config may not name one."""
    action = REGISTRY.find("webhook")
    assert action is not None
    assert template_named(action, {"template": "welcome"}) is None
    assert wrong_paths("webhook", {"url": "http://a.example", "template": "welcome"}) == ["config.template"]


def test_hostile_sources_stay_in_the_sandbox() -> None:
    """A template's text is under the bounds that a config's own is under."""
    action = REGISTRY.find("send_sms")
    assert action is not None
    assert action.message_text is not None
    config = with_text(action.message_text, {"to": "+4930123456"}, MessageText("", "{{ ''.__class__.__mro__ }}", ""))
    with pytest.raises(ActionFailedError):
        action.prepare(compile_action("send_sms", config).config, context_of())
