"""``webhook``: the request that a config makes, what is refused, and how answers are judged."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import pytest

from app.actions.base import Ports
from app.actions.webhook import MAX_ANSWER_BYTES, Webhook, WebhookRequest, causation
from app.adapters.http.client import open_http_client
from app.domain.errors import ActionFailedError
from app.embedded.webhook_receiver import Behaviour, WebhookReceiver
from app.ports import HttpAnswer, HttpClient
from tests.attack.spellings import spellings
from tests.support.commands import COMMAND_ID, DATA, context_of, failure_of, prepared, wrong_paths
from tests.support.fake_http import FakeHttp
from tests.support.fake_mailer import FakeMailer
from tests.support.raw_http import raw_server

URL = "https://shop.example/hook"
TOKEN = "canary-5f2c81d7/+token"


def _ports(http: HttpClient) -> Ports:
    return Ports(http=http, mail=FakeMailer(), mail_from="shop@shop.example")


def _webhook(config: dict[str, Any], data: dict[str, Any] | None = None) -> WebhookRequest:
    made = prepared("webhook", config, data)
    assert isinstance(made, WebhookRequest)
    return made


def test_by_default_the_event_is_posted() -> None:
    """Without a body the event goes, with the workflow's and the execution's ids, as JSON, under the command's key."""
    request = _webhook({"url": URL}).http
    assert (request.method, request.url) == ("POST", URL)
    assert request.headers == {
        "Idempotency-Key": str(COMMAND_ID),
        "Content-Type": "application/json",
        "Headrace-Causation": context_of().origin.causation,
    }
    sent = orjson.loads(request.body or b"")
    assert sent["event"]["data"] == DATA
    assert (sent["workflow"]["version"], sent["execution"]["attempt"]) == (3, 1)


def test_url_headers_and_body_are_templates() -> None:
    """Every string of the config is a template; JSON stays JSON around it."""
    request = _webhook(
        {
            "url": "https://shop.example/orders/{{ order.id }}?name={{ customer.name | urlencode }}",
            "method": "PUT",
            "headers": {"X-Total": "{{ order.total }}", "content-type": "application/vnd.shop+json"},
            "body": {"who": "{{ customer.name }}", "fixed": [1, None, True]},
        }
    ).http
    assert request.url == "https://shop.example/orders/42?name=Ada%20%3Cb%3E"
    assert request.headers["X-Total"] == "199.00"
    assert "Content-Type" not in request.headers
    assert orjson.loads(request.body or b"") == {"who": "Ada <b>", "fixed": [1, None, True]}


def test_a_text_body_is_sent_as_it_renders() -> None:
    """A string is a template of the whole body, sent as text unless a Content-Type says otherwise."""
    request = _webhook({"url": URL, "body": "order {{ order.id }} ✓"}).http
    assert request.body == "order 42 ✓".encode()
    assert request.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("config", [{"method": "GET"}, {"method": "DELETE"}, {"method": "POST", "body": None}])
def test_no_body_where_none_is_due(config: dict[str, Any]) -> None:
    """GET and DELETE carry no body unless told, and ``null`` means none."""
    request = _webhook({"url": URL, **config}).http
    assert request.body is None
    assert "Content-Type" not in request.headers


@pytest.mark.parametrize(
    ("config", "paths"),
    [
        ({"url": "ftp://shop.example"}, ["config.url"]),
        ({"url": "shop.example/hook"}, ["config.url"]),
        ({"url": "https://"}, ["config.url"]),
        ({"url": "https://user:secret@shop.example"}, ["config.url"]),
        ({"url": "https://shop.example:99999/"}, ["config.url"]),
        ({"url": URL, "method": "TRACE"}, ["config.method"]),
        ({"url": URL, "headers": {"Host": "other"}}, ["config.headers"]),
        ({"url": URL, "headers": {"content-LENGTH": "1"}}, ["config.headers"]),
        ({"url": URL, "headers": {"Idempotency-Key": "mine"}}, ["config.headers"]),
        ({"url": URL, "headers": {"headrace-causation": "mine"}}, ["config.headers"]),
        ({"url": URL, "headers": {"Transfer-Encoding": "chunked"}}, ["config.headers"]),
        ({"url": URL, "headers": {"X Y": "1"}}, ["config.headers"]),
        ({"url": URL, "headers": {"X\r\nEvil": "1"}}, ["config.headers"]),
        ({"url": URL, "headers": {"X-A": "1", "x-a": "2"}}, ["config.headers"]),
        ({"url": URL, "timeout_s": 0}, ["config.timeout_s"]),
        ({"url": URL, "timeout_s": 0.00001}, ["config.timeout_s"]),
        ({"url": URL, "timeout_s": 0.999}, ["config.timeout_s"]),
        ({"url": URL, "method": "GET", "body": {}}, ["config.body"]),
    ],
)
def test_what_is_wrong_is_refused_on_save(config: dict[str, Any], paths: list[str]) -> None:
    """Schemes, hosts, credentials in the URL, headers that are ours, bad names: refused by field."""
    assert wrong_paths("webhook", config) == paths


@pytest.mark.parametrize(
    ("config", "value", "field"),
    [
        ({"url": "{{ v }}"}, "file:///etc/passwd", "url"),
        ({"url": "{{ v }}"}, "https://a.example/\r\nX: 1", "url"),
        ({"url": "https://a.example/{{ v }}"}, "\x00", "url"),
        ({"url": "https://{{ v }}/"}, "", "url"),
        ({"url": URL, "headers": {"X-A": "{{ v }}"}}, "1\r\nX-Evil: 2", "headers.X-A"),
        ({"url": URL, "headers": {"X-A": "{{ v }}"}}, "a\x07b", "headers.X-A"),
        ({"url": URL, "body": {"a": "{{ v }}"}}, "\ud800", "body"),
        ({"url": URL, "body": "{{ v }}"}, "a\x00", "body"),
        ({"url": URL, "body": ["{{ v }}"] * 20}, "x" * 60_000, "body"),
    ],
)
def test_what_renders_badly_fails_by_field(config: dict[str, Any], value: str, field: str) -> None:
    """What data makes of a template is checked like what was saved; no header can be smuggled in."""
    assert failure_of("webhook", config, {"v": value}).startswith(f"{field}: ")


def test_a_long_chain_loses_its_oldest_links() -> None:
    """Headrace-Causation stays short enough for a header; the execution itself is at its end."""
    links = [f"{UUID(int=n)}/{UUID(int=n)}" for n in range(90)]
    context = context_of()
    event = {**context.scope["event"], "causation": ",".join(links)}
    chain = causation(replace(context, scope={**context.scope, "event": event})).split(",")
    assert chain == [*links[-(len(chain) - 1) :], context.origin.causation]
    assert 50 < len(chain) < 57


def test_redirects_are_followed_unless_switched_off() -> None:
    """Three by default."""
    assert _webhook({"url": URL}).http.redirects == 3
    assert _webhook({"url": URL, "follow_redirects": False}).http.redirects == 0


async def test_a_redirect_that_is_not_followed_fails_for_good() -> None:
    """The log says whether it was one too many or one at all."""
    for config, why in (
        ({"url": URL}, "at most 3 are followed"),
        ({"url": URL, "follow_redirects": False}, "redirects are not followed"),
    ):
        http = FakeHttp()
        http.answers = [HttpAnswer(302, {"Location": URL}, "")] * 4
        with pytest.raises(ActionFailedError, match=why) as failure:
            await Webhook().perform(_webhook(config), _ports(http), context_of())
        assert failure.value.permanent


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("spelled", spellings(TOKEN).items(), ids=lambda one: one[0])
async def test_no_redirect_takes_a_body_with_a_secret_elsewhere(
    receiver: WebhookReceiver, status: int, spelled: tuple[str, str]
) -> None:
    """However the secret is spelled in it, whole or cut; the second server has the first one's address."""
    headers = {"Authorization": "Bearer {{ secrets.TOKEN }}"}
    async with raw_server() as second, open_http_client(allow_private=True) as http:
        receiver.behaviour = Behaviour(status=status, headers=(("Location", f"{second.url}/there"),))
        for body in ("{{ said }}", {"deep": ["x {{ said[2:] }}"]}):
            context = context_of({"said": spelled[1]}, TOKEN=TOKEN)
            config = {"url": receiver.url + "/hook", "headers": headers, "body": body}
            with pytest.raises(ActionFailedError, match="must not get the secret in the body"):
                await Webhook().perform(prepared("webhook", config, context=context), _ports(http), context)
        assert second.connections == 0


async def test_a_body_without_a_secret_is_repeated_and_the_secrets_elsewhere_in_the_request_are_not(
    receiver: WebhookReceiver,
) -> None:
    """Those in a header, in the path and in the query go to the host that they were written for."""
    context = context_of(TOKEN=TOKEN)
    config = {
        "url": receiver.url + "/{{ secrets.TOKEN }}?key={{ secrets.TOKEN }}",
        "headers": {"Authorization": "Bearer {{ secrets.TOKEN }}"},
        "body": {"order": "{{ order.id }}"},
    }
    async with raw_server() as second, open_http_client(allow_private=True) as http:
        receiver.behaviour = Behaviour(status=307, headers=(("Location", f"{second.url}/there"),))
        await Webhook().perform(prepared("webhook", config, context=context), _ports(http), context)
    (request,) = second.requests
    assert request.endswith(b'{"order":"42"}')
    assert TOKEN.encode() not in request


async def test_a_redirect_goes_to_no_host_that_a_secret_is_not_for(receiver: WebhookReceiver) -> None:
    """Though the next request would hold nothing of it: the grant says where its workflow's requests may end."""
    port = urlsplit(receiver.url).port
    context = replace(context_of(TOKEN=TOKEN), hosts={"TOKEN": (f"127.0.0.1:{port}",)})
    config = {"url": receiver.url + "/hook", "headers": {"X-Key": "{{ secrets.TOKEN }}"}}
    async with raw_server() as second, open_http_client(allow_private=True) as http:
        receiver.behaviour = Behaviour(status=308, headers=(("Location", f"{second.url}/there"),))
        with pytest.raises(ActionFailedError, match=r"a host that secrets\.TOKEN may not be sent to"):
            await Webhook().perform(prepared("webhook", config, context=context), _ports(http), context)
        assert second.connections == 0


async def test_the_answer_is_the_output() -> None:
    """A 2xx answer's status and body are what later steps see; the attempt had a little less than its time."""
    http = FakeHttp()
    http.answers = [HttpAnswer(201, {"Content-Type": "application/json"}, '{"id":7}')]
    output = await Webhook().perform(_webhook({"url": URL}), _ports(http), context_of(timeout=5))
    assert output == {"status": 201, "body": {"id": 7}}
    assert 4.5 < http.withins[0] < 5


async def test_a_config_can_shorten_the_time_but_not_lengthen_it() -> None:
    """``timeout_s`` counts where it is shorter than the setting; one stored before there was a floor is 1 s."""
    http = FakeHttp()
    for seconds in (2, 60, 0.00001):
        await Webhook().perform(_webhook({"url": URL, "timeout_s": seconds}), _ports(http), context_of(timeout=5))
    assert http.withins == [2, context_of(timeout=5).within, 1]


async def test_a_real_destination_gets_the_request_and_its_refusal_is_honoured(receiver: WebhookReceiver) -> None:
    """Over TCP: the delivery arrives under the command's key; 429 with Retry-After comes back as when to try again."""
    made = _webhook({"url": f"{receiver.url}/orders/{{{{ order.id }}}}"})
    async with open_http_client(allow_private=True) as http:
        output = await Webhook().perform(made, _ports(http), context_of())
        receiver.behaviour = Behaviour(status=429, headers=(("Retry-After", "7"),))
        with pytest.raises(ActionFailedError) as failure:
            await Webhook().perform(made, _ports(http), context_of())
    assert output["status"] == 200
    assert [(d.path, d.key) for d in receiver.deliveries] == [("/orders/42", str(COMMAND_ID))] * 2
    assert (failure.value.permanent, failure.value.retry_after) == (False, 7.0)
    assert MAX_ANSWER_BYTES == 2048
