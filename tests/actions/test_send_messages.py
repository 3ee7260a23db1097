"""``send_sms`` and ``send_whatsapp``: what is sent, what is refused before, how answers are judged, on_uncertain."""

from base64 import b64encode
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest

from app.actions.base import ActionContext, Ports
from app.actions.configs import compile_action
from app.adapters.http.client import open_http_client
from app.domain.errors import ActionFailedError
from app.embedded.message_providers import MessageProviders
from app.ports import HttpAnswer
from tests.attack.spellings import pieces, spellings
from tests.support.commands import COMMAND_ID, context_of, failure_of, prepared, wrong_paths
from tests.support.fake_http import FakeHttp
from tests.support.fake_mailer import FakeMailer
from tests.support.providers import LOGIN, ports_of, stranger

ADA: dict[str, Any] = {"customer": {"id": "c-1", "name": "Ada", "phone": "+49 30 123-456"}, "order": {"id": 42}}
SMS: dict[str, Any] = {"text": "Order {{ order.id }} is on its way, {{ customer.name }} ✓"}
WHATSAPP: dict[str, Any] = {"text": "Hello {{ customer.name }}"}
TEMPLATE: dict[str, Any] = {"meta_template": "order_update", "language": "en_US"}
BOTH = [("send_sms", SMS), ("send_whatsapp", WHATSAPP)]
LOST = ActionFailedError("no answer within 5 s", effect_unknown=True)


async def _perform(
    kind: str, config: dict[str, Any], ports: Ports, context: ActionContext | None = None
) -> dict[str, Any]:
    action: Any = compile_action(kind, config).action
    done: dict[str, Any] = await action.perform(prepared(kind, config, ADA), ports, context or context_of(ADA))
    return done


async def _failure(
    kind: str, config: dict[str, Any], ports: Ports, context: ActionContext | None = None
) -> ActionFailedError:
    with pytest.raises(ActionFailedError) as failure:
        await _perform(kind, config, ports, context)
    return failure.value


# -- what is sent


async def test_an_sms_is_a_form_under_basic_authentication() -> None:
    """To without separators, our From, the text as UTF-8; Twilio's sid and status are the output."""
    http = FakeHttp()
    http.answers = [HttpAnswer(201, {}, '{"sid":"SM1","status":"queued"}')]
    assert await _perform("send_sms", SMS, ports_of(http)) == {"sid": "SM1", "status": "queued"}
    (request,) = http.requests
    assert request.url == f"https://provider.example/2010-04-01/Accounts/{LOGIN.account_sid}/Messages.json"
    assert request.headers["Authorization"].startswith("Basic ")
    assert parse_qs((request.body or b"").decode()) == {
        "To": ["+4930123456"],
        "From": [LOGIN.number],
        "Body": ["Order 42 is on its way, Ada ✓"],
    }


async def test_a_messaging_service_can_be_the_sender() -> None:
    """With MessagingServiceSid no From is sent: Twilio chooses the number."""
    http = FakeHttp()
    ports = ports_of(http)
    assert ports.sms is not None
    by_service = replace(ports, sms=replace(ports.sms, sender=("MessagingServiceSid", "MG1")))
    await _perform("send_sms", SMS, by_service)
    assert set(parse_qs((http.requests[0].body or b"").decode())) == {"To", "MessagingServiceSid", "Body"}


async def test_a_whatsapp_text_is_json_under_a_bearer_token() -> None:
    """The command id goes along, and comes back with Meta's status webhooks; Meta's id is the output."""
    http = FakeHttp()
    http.answers = [HttpAnswer(200, {}, '{"messages":[{"id":"wamid.1"}]}')]
    assert await _perform("send_whatsapp", WHATSAPP, ports_of(http)) == {"message_id": "wamid.1"}
    (request,) = http.requests
    assert request.url == f"https://provider.example/v23.0/{LOGIN.phone_number_id}/messages"
    assert request.headers["Authorization"] == f"Bearer {LOGIN.access_token}"
    assert orjson.loads(request.body or b"") == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+4930123456",
        "type": "text",
        "text": {"preview_url": False, "body": "Hello Ada"},
        "biz_opaque_callback_data": str(COMMAND_ID),
    }


@pytest.mark.parametrize(
    ("given", "components"),
    [
        ({}, []),
        (
            {"header": "Order {{ order.id }}", "parameters": ["{{ customer.name }}", "two"]},
            [
                {"type": "header", "parameters": [{"type": "text", "text": "Order 42"}]},
                {"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "two"}]},
            ],
        ),
        (
            {"parameters": {"name": "{{ customer.name }}"}},
            [{"type": "body", "parameters": [{"type": "text", "text": "Ada", "parameter_name": "name"}]}],
        ),
    ],
)
def test_a_template_takes_parameters_by_position_or_by_name(
    given: dict[str, Any], components: list[dict[str, Any]]
) -> None:
    """Header and body are components of the template; without variables there are none."""
    content = prepared("send_whatsapp", {**TEMPLATE, **given}, ADA).content
    assert content["template"] == {
        "name": "order_update",
        "language": {"code": "en_US"},
        "components": components,
    }


async def test_an_answer_that_names_nothing_is_a_success_all_the_same() -> None:
    """2xx means taken, whatever is in it."""
    for body in ("", "[]", '{"messages":[]}', '{"sid":7}'):
        for kind, config in BOTH:
            http = FakeHttp()
            http.answers = [HttpAnswer(200, {}, body)]
            assert set((await _perform(kind, config, ports_of(http))).values()) == {None}


# -- what is refused before


@pytest.mark.parametrize(
    ("kind", "config", "paths"),
    [
        ("send_sms", {}, ["config.text"]),
        ("send_sms", {"text": "a", "from": "+1"}, ["config.from"]),
        ("send_sms", {"text": "a", "on_uncertain": "maybe"}, ["config.on_uncertain"]),
        ("send_sms", {"text": "{{ oops"}, ["config.text"]),
        ("send_whatsapp", {}, ["config.text"]),
        ("send_whatsapp", {"text": "a", **TEMPLATE}, ["config.meta_template"]),
        ("send_whatsapp", {"meta_template": "order_update"}, ["config.language"]),
        ("send_whatsapp", {"text": "a", "parameters": ["b"]}, ["config.parameters"]),
        ("send_whatsapp", {**TEMPLATE, "meta_template": "Order Update"}, ["config.meta_template"]),
        ("send_whatsapp", {**TEMPLATE, "language": "English"}, ["config.language"]),
        ("send_whatsapp", {**TEMPLATE, "parameters": ["{{ oops"]}, ["config.parameters[0]"]),
    ],
)
def test_what_is_wrong_is_refused_on_save(kind: str, config: dict[str, Any], paths: list[str]) -> None:
    """A wrong config is refused with the path to the field."""
    assert wrong_paths(kind, config) == paths


@pytest.mark.parametrize(
    ("kind", "config", "value", "field"),
    [
        ("send_sms", {"to": "{{ v }}", "text": "a"}, "030 123456", "to"),
        ("send_sms", {"to": "{{ v }}", "text": "a"}, "+4930123456, +4930123457", "to"),
        ("send_sms", {"to": "{{ v }}", "text": "a"}, "", "to"),
        ("send_sms", {"to": "+4930123456", "text": "{{ v }}"}, "x" * 1601, "text"),
        ("send_sms", {"to": "+4930123456", "text": "{{ v }}"}, " \n", "text"),
        ("send_sms", {"to": "+4930123456", "text": "{{ v }}"}, "\ud800", "text"),
        ("send_whatsapp", {"to": "+4930123456", "text": "{{ v }}"}, "x" * 4097, "text"),
        ("send_whatsapp", {"to": "+4930123456", **TEMPLATE, "parameters": ["{{ v }}"]}, "a\nb", "parameters[0]"),
        ("send_whatsapp", {"to": "+4930123456", **TEMPLATE, "parameters": ["{{ v }}"]}, "a\tb", "parameters[0]"),
        ("send_whatsapp", {"to": "+4930123456", **TEMPLATE, "parameters": {"n": "{{ v }}"}}, "a     b", "parameters.n"),
        ("send_whatsapp", {"to": "+4930123456", **TEMPLATE, "parameters": ["{{ v }}"]}, "", "parameters[0]"),
        ("send_whatsapp", {"to": "+4930123456", **TEMPLATE, "header": "{{ v }}"}, "x" * 61, "header"),
    ],
)
def test_what_renders_badly_fails_by_field(kind: str, config: dict[str, Any], value: str, field: str) -> None:
    """What the provider would refuse is found before anything happens."""
    assert failure_of(kind, config, {"v": value}).startswith(f"{field}: ")


def test_the_longest_texts_are_taken() -> None:
    """1600 and 4096 characters are within the limits."""
    assert len(prepared("send_sms", {"to": "+4930123456", "text": "x" * 1600}).text) == 1600
    assert prepared("send_whatsapp", {"to": "+4930123456", "text": "x" * 4096}).content["type"] == "text"


@pytest.mark.parametrize(("kind", "config"), BOTH)
async def test_without_an_account_it_fails_and_names_the_setting(kind: str, config: dict[str, Any]) -> None:
    """Nobody set the provider up: permanent, and the log says what to set."""
    failure = await _failure(kind, config, Ports(FakeHttp(), FakeMailer(), "shop@shop.example"))
    assert failure.permanent
    assert "HEADRACE_" in str(failure)


# -- how answers are judged


@pytest.mark.parametrize(("kind", "config"), BOTH)
@pytest.mark.parametrize(
    ("status", "permanent", "unknown"),
    [
        (302, True, False),
        (400, True, False),
        (401, True, False),
        (404, True, False),
        (429, False, False),
        (503, False, False),
        (500, False, True),
        (502, False, True),
        (504, False, True),
    ],
)
async def test_a_status_says_what_may_follow(
    kind: str, config: dict[str, Any], status: int, *, permanent: bool, unknown: bool
) -> None:
    """4xx is final, 429 and 503 had no effect, any other 5xx may have had one."""
    http = FakeHttp()
    http.answers = [HttpAnswer(status, {"Retry-After": "7"}, "")]
    failure = await _failure(kind, {**config, "on_uncertain": "retry"}, ports_of(http))
    assert (failure.permanent, failure.effect_unknown) == (permanent, unknown)
    assert failure.retry_after == (None if permanent else 7.0)


@pytest.mark.parametrize(("kind", "config"), BOTH)
async def test_a_503_that_does_not_say_when_to_come_back_may_have_had_an_effect(
    kind: str, config: dict[str, Any]
) -> None:
    """A gateway that gave up answers 503 as well, so ``fail`` does not send again."""
    http = FakeHttp()
    http.answers = [HttpAnswer(503, {}, "")]
    failure = await _failure(kind, config, ports_of(http))
    assert (failure.permanent, failure.effect_unknown) == (True, True)


@pytest.mark.parametrize(("kind", "config"), BOTH)
async def test_what_quotes_a_secret_is_redacted(kind: str, config: dict[str, Any]) -> None:
    """The token, and the header that is made of it, never reach the log."""
    login = b64encode(f"{LOGIN.account_sid}:{LOGIN.auth_token}".encode()).decode()
    said = f"bad: {LOGIN.auth_token} {LOGIN.access_token} {login if kind == 'send_sms' else ''}"
    http = FakeHttp()
    http.answers = [HttpAnswer(400, {}, orjson.dumps({"code": 1, "message": said, "error": {"code": 1}}).decode())]
    if kind == "send_whatsapp":
        http.answers = [HttpAnswer(400, {}, orjson.dumps({"error": {"code": 1, "message": said}}).decode())]
    error = str(await _failure(kind, config, ports_of(http)))
    assert "bad: " in error
    assert login not in error
    assert (LOGIN.auth_token if kind == "send_sms" else LOGIN.access_token) not in error


@pytest.mark.parametrize(("kind", "config"), BOTH)
async def test_what_quotes_a_secret_in_another_spelling_is_redacted(kind: str, config: dict[str, Any]) -> None:
    """Base64, hex, reversed, cut: no eight characters of any reach the log, nor those of an answer that is good."""
    secret = LOGIN.auth_token if kind == "send_sms" else LOGIN.access_token
    for spelled in spellings(secret).values():
        http = FakeHttp()
        said = {"code": 1, "message": f"bad: {spelled[3:-3]}"}
        http.answers = [HttpAnswer(400, {}, orjson.dumps({**said, "error": said}).decode())]
        error = str(await _failure(kind, config, ports_of(http)))
        assert "bad: " in error
        assert not [piece for _, piece in pieces(secret) if piece in error]


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        ({"code": 130429, "message": "(#130429) Rate limit hit"}, False),
        ({"code": 131056, "message": "(#131056) Pair rate limit hit"}, False),
        ({"code": 1, "message": "An unknown error", "is_transient": True}, False),
        ({"code": 132000, "message": "(#132000) Number of parameters does not match"}, True),
    ],
)
async def test_a_limit_of_meta_is_tried_again_though_its_status_is_400(
    error: dict[str, Any], *, permanent: bool
) -> None:
    """Meta says with a code, or ``is_transient``, what its status does not."""
    http = FakeHttp()
    http.answers = [HttpAnswer(400, {}, orjson.dumps({"error": error}).decode())]
    failure = await _failure("send_whatsapp", WHATSAPP, ports_of(http))
    assert failure.permanent is permanent
    assert error["message"] in str(failure)


@pytest.mark.parametrize("body", ["", "nothing", "[]", '{"error":7}', '{"error":{"code":"x"}}', '{"code":null}'])
async def test_an_error_that_cannot_be_read_is_judged_by_its_status(body: str) -> None:
    """Whatever a gateway answers, the status counts."""
    for kind, config in BOTH:
        http = FakeHttp()
        http.answers = [HttpAnswer(400, {}, body)]
        assert (await _failure(kind, config, ports_of(http))).permanent


# -- on_uncertain


@pytest.mark.parametrize(("kind", "config"), BOTH)
async def test_by_default_what_may_have_been_sent_is_not_sent_again(kind: str, config: dict[str, Any]) -> None:
    """An attempt whose answer got lost is the last; one after an unfinished attempt sends nothing."""
    http = FakeHttp()
    http.answers = [LOST]
    failure = await _failure(kind, config, ports_of(http))
    assert (failure.permanent, failure.effect_unknown) == (True, True)
    again = await _failure(kind, config, ports_of(http), replace(context_of(ADA), uncertain=True))
    assert (again.permanent, again.effect_unknown, len(http.requests)) == (True, True, 1)
    assert "on_uncertain" in str(failure)
    assert "on_uncertain" in str(again)


@pytest.mark.parametrize(("kind", "config"), BOTH)
async def test_retry_sends_again_what_may_have_been_sent(kind: str, config: dict[str, Any]) -> None:
    """Whoever prefers twice to never says so."""
    http = FakeHttp()
    http.answers = [LOST]
    failure = await _failure(kind, {**config, "on_uncertain": "retry"}, ports_of(http))
    assert (failure.permanent, failure.effect_unknown) == (False, True)
    await _perform(kind, {**config, "on_uncertain": "retry"}, ports_of(http), replace(context_of(ADA), uncertain=True))
    assert len(http.requests) == 2


@pytest.mark.parametrize(("kind", "config"), BOTH)
async def test_a_request_that_had_no_effect_is_tried_again(kind: str, config: dict[str, Any]) -> None:
    """No connection: nothing was sent, so ``fail`` does not forbid another attempt."""
    http = FakeHttp()
    http.answers = [ActionFailedError("no connection")]
    assert not (await _failure(kind, config, ports_of(http))).permanent


# -- over TCP, to the stand-in


async def test_the_stand_in_takes_what_the_actions_send(providers: MessageProviders) -> None:
    """Text, template by position and template by name arrive; what comes out names the message."""
    async with open_http_client(allow_private=True) as http:
        ports = ports_of(http, providers.url)
        sms = await _perform("send_sms", SMS, ports)
        text = await _perform("send_whatsapp", WHATSAPP, ports)
        await _perform("send_whatsapp", {**TEMPLATE, "parameters": ["{{ order.id }}", "sent"]}, ports)
        named = {
            "meta_template": "appointment_reminder",
            "language": "en_US",
            "parameters": {"time": "9:30", "name": "A"},
        }
        await _perform("send_whatsapp", named, ports)
        delivered = {"meta_template": "order_delivered", "header": "Order {{ order.id }}", "parameters": ["Ada"]}
        await _perform("send_whatsapp", {**TEMPLATE, **delivered}, ports)
    first, second, third, fourth, fifth = providers.sent
    assert (first.provider, first.id, first.to) == ("twilio", sms["sid"], "+4930123456")
    assert first.text == "Order 42 is on its way, Ada ✓"
    assert (second.id, second.text, second.tracking) == (text["message_id"], "Hello Ada", str(COMMAND_ID))
    assert third.parameters == (("", "42"), ("", "sent"))
    assert set(fourth.parameters) == {("time", "9:30"), ("name", "A")}
    assert (fifth.text, fifth.parameters) == ("order_delivered (en_US)", (("", "Ada"),))


@pytest.mark.parametrize(("kind", "config"), BOTH)
async def test_a_wrong_secret_is_final_and_never_quoted(
    kind: str, config: dict[str, Any], providers: MessageProviders
) -> None:
    """401 is permanent; the error holds no secret, even where the provider quotes it."""
    async with open_http_client(allow_private=True) as http:
        failure = await _failure(kind, config, ports_of(http, providers.url, stranger()))
    assert failure.permanent
    assert "answered 401" in str(failure)
    assert "wrong-" not in str(failure)
    assert not providers.sent


@pytest.mark.parametrize(("kind", "config"), BOTH)
async def test_a_connection_that_breaks_leaves_the_effect_unknown(
    kind: str, config: dict[str, Any], providers: MessageProviders
) -> None:
    """The provider took the message and its answer never came."""
    providers.moods.lost = 1
    async with open_http_client(allow_private=True) as http:
        failure = await _failure(kind, config, ports_of(http, providers.url))
    assert failure.effect_unknown
    assert len(providers.sent) == 1


def test_secrets_do_not_show_in_what_is_printed() -> None:
    """Neither the accounts nor the login of the stand-in show a secret in their repr."""
    assert "token-of-tests" not in f"{ports_of(FakeHttp())!r} {LOGIN!r}"
