"""Standard Webhooks signatures."""

import base64
import hashlib
import hmac
import time
from typing import Any, Final

import pytest

from app.actions.base import Ports
from app.actions.signing import signature_headers, signing_key
from app.actions.webhook import Webhook
from app.domain.errors import ActionFailedError
from app.ports import HttpAnswer, HttpRequest
from tests.support.commands import COMMAND_ID, context_of, prepared, wrong_paths
from tests.support.fake_http import FakeHttp
from tests.support.fake_mailer import FakeMailer

URL: Final = "https://shop.example/hook"
KEY: Final = bytes(range(32))
SECRET: Final = "whsec_" + base64.b64encode(KEY).decode()


def test_the_specifications_vector() -> None:
    """The vector that the specification's own libraries test with."""
    key = signing_key("HOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert signature_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}') == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def verify(request: HttpRequest) -> None:
    """Check a delivery as its receiver does: by RFC 2104, written out."""
    headers = request.headers
    block = KEY.ljust(64, b"\0")
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + (request.body or b"")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + content).digest()
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).digest()
    version, _, signature = headers["webhook-signature"].partition(",")
    assert version == "v1"
    assert hmac.compare_digest(base64.b64decode(signature), outer)


async def sent(config: dict[str, Any], attempts: int = 1) -> list[HttpRequest]:
    """The requests of so many attempts at one delivery."""
    http = FakeHttp()
    context = context_of(HOOK_KEY=SECRET)
    for _ in range(attempts):
        ports = Ports(http=http, mail=FakeMailer(), mail_from="shop@shop.example")
        await Webhook().perform(prepared("webhook", config, context=context), ports, context)
    return http.requests


@pytest.mark.parametrize(
    "config", [{}, {"body": {"total": "{{ order.total }}"}}, {"body": "grün"}, {"body": None}, {"method": "GET"}]
)
async def test_every_delivery_can_be_verified(config: dict[str, Any]) -> None:
    """Over the very bytes that are sent, at the time they are sent, with or without a body."""
    (request,) = await sent({"url": URL, "sign_with": "HOOK_KEY", **config})
    verify(request)
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 60


async def test_attempts_are_one_message() -> None:
    """The id is the command's on every attempt."""
    requests = await sent({"url": URL, "sign_with": "HOOK_KEY"}, attempts=3)
    assert {request.headers["webhook-id"] for request in requests} == {str(COMMAND_ID)}


async def test_without_a_secret_nothing_is_signed() -> None:
    """The headers are the user's then."""
    (request,) = await sent({"url": URL, "headers": {"webhook-id": "mine"}})
    assert request.headers["webhook-id"] == "mine"
    assert "webhook-signature" not in request.headers


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"sign_with": "hook_key"}, "config.sign_with"),
        ({"sign_with": "{{ secrets.HOOK_KEY }}"}, "config.sign_with"),
        ({"sign_with": "HOOK_KEY", "headers": {"Webhook-Id": "mine"}}, "config.sign_with"),
    ],
)
def test_a_wrong_name_is_refused_on_save(config: dict[str, Any], path: str) -> None:
    """No secret can be called that; and the headers cannot be chosen beside it."""
    assert wrong_paths("webhook", {"url": URL, **config}) == [path]


@pytest.mark.parametrize(
    "secret",
    [
        base64.b64encode(KEY).decode(),
        "whsec_" + base64.b64encode(KEY[:23]).decode(),
        "whsec_" + base64.b64encode(KEY * 3).decode(),
        "whsec_not base64",
        "whsec_grün",
        "whsec_AAAA",
    ],
)
async def test_what_is_no_key_fails_by_name_and_shows_nothing(secret: str) -> None:
    """Without the prefix, too short, too long, no base64: permanent, and no request is made."""
    http = FakeHttp()
    http.answers = [HttpAnswer(200, {}, "")]
    context = context_of(HOOK_KEY=secret)
    made = prepared("webhook", {"url": URL, "sign_with": "HOOK_KEY"}, context=context)
    with pytest.raises(ActionFailedError, match=r"secrets\.HOOK_KEY: is no signing key") as failure:
        await Webhook().perform(made, Ports(http=http, mail=FakeMailer(), mail_from="a@b.example"), context)
    assert failure.value.permanent
    assert secret not in str(failure.value)
    assert not http.requests
