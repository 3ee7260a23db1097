"""The stand-in of Twilio and Meta: it refuses what their documentation says they refuse, with their errors."""

from base64 import b64encode
from typing import Any

import aiohttp
import pytest

from app.embedded.message_providers import MessageProviders
from tests.support.providers import LOGIN

SMS = {"To": "+4930123456", "From": LOGIN.number, "Body": "Hello"}
TEXT: dict[str, Any] = {
    "messaging_product": "whatsapp",
    "to": "+4930123456",
    "type": "text",
    "text": {"body": "Hello"},
}


def _template(name: str = "order_update", *parameters: str, language: str = "en_US") -> dict[str, Any]:
    body = {"type": "body", "parameters": [{"type": "text", "text": text} for text in parameters]}
    template = {"name": name, "language": {"code": language}, "components": [body] if parameters else []}
    return {**TEXT, "type": "template", "text": None, "template": template}


def _with_components(*components: Any) -> dict[str, Any]:
    message = _template("order_update")
    message["template"]["components"] = list(components)
    return message


def _basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


async def _sms(
    providers: MessageProviders, form: dict[str, str], *, login: str | None = None, account: str = LOGIN.account_sid
) -> tuple[int, Any]:
    url = f"{providers.url}/2010-04-01/Accounts/{account}/Messages.json"
    headers = {"Authorization": _basic(LOGIN.account_sid, LOGIN.auth_token) if login is None else login}
    async with aiohttp.ClientSession() as client, client.post(url, data=form, headers=headers) as answer:
        return answer.status, await answer.json()


async def _whatsapp(
    providers: MessageProviders, message: Any, *, token: str = LOGIN.access_token, phone: str = LOGIN.phone_number_id
) -> tuple[int, Any]:
    url = f"{providers.url}/v23.0/{phone}/messages"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as client, client.post(url, json=message, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_what_is_well_formed_is_taken_and_shown(providers: MessageProviders) -> None:
    """201 and a sid, 200 and a wamid; both are on the page and in the list, markup as text."""
    status, made = await _sms(providers, {**SMS, "Body": "<b>Hello</b>"})
    assert (status, made["status"], made["sid"][:2]) == (201, "queued", "SM")
    status, made = await _whatsapp(providers, TEXT)
    assert (status, made["messages"][0]["id"][:6]) == (200, "wamid.")
    async with aiohttp.ClientSession() as client:
        async with client.get(providers.url) as page:
            assert "&lt;b&gt;Hello" in await page.text()
        async with client.get(f"{providers.url}/messages") as listed:
            assert [one["provider"] for one in (await listed.json())["messages"]] == ["twilio", "whatsapp"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": None}, 21604),
        ({"To": "030123456"}, 21211),
        ({"To": "+49 30 123456"}, 21211),
        ({"Body": None}, 21602),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21658),
        ({"From": None}, 21603),
        ({"From": "+15005550001"}, 21606),
        ({"To": LOGIN.number}, 21266),
    ],
)
async def test_twilio_refuses_a_wrong_form(
    providers: MessageProviders, change: dict[str, str | None], code: int
) -> None:
    """400 with Twilio's code and message; nothing is kept."""
    form = {name: value for name, value in {**SMS, **change}.items() if value is not None}
    status, error = await _sms(providers, form)
    assert (status, error["code"], error["status"]) == (400, code, 400)
    assert error["message"]
    assert not providers.sent


@pytest.mark.parametrize(
    "login", ["", "Bearer x", "Basic !", _basic(LOGIN.account_sid, "wrong"), _basic("AC1", LOGIN.auth_token)]
)
async def test_twilio_refuses_strangers(providers: MessageProviders, login: str) -> None:
    """401 and code 20003, whatever is wrong with the login."""
    status, error = await _sms(providers, SMS, login=login)
    assert (status, error["code"], len(providers.sent)) == (401, 20003, 0)


async def test_twilio_refuses_another_account(providers: MessageProviders) -> None:
    """The account in the path must be that of the login."""
    assert (await _sms(providers, SMS, account="AC1"))[0] == 401


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        ([], 400, 100),
        ({**TEXT, "messaging_product": "sms"}, 400, 100),
        ({**TEXT, "to": ""}, 400, 131009),
        ({**TEXT, "to": "030 123"}, 400, 131009),
        ({**TEXT, "text": {"body": " "}}, 400, 131008),
        ({**TEXT, "text": {"body": "x" * 4097}}, 400, 100),
        ({**TEXT, "type": "video"}, 400, 131008),
        (_template("order_update", "one"), 400, 132000),
        (_template("order_update", "one", "two", "three"), 400, 132000),
        (_template("appointment_reminder", "one", "two"), 400, 132000),
        (_template("order_update", "one", "two", language="de"), 404, 132001),
        (_template("unheard_of"), 404, 132001),
        (_template("order_update", "one", "a\nb"), 400, 132018),
        (_template("order_update", "one", "a     b"), 400, 132018),
        (_template("order_update", "one", "x" * 1025), 400, 132005),
        (_template("order_delivered", "one"), 400, 132000),
        (_with_components({"type": "body"}), 400, 100),
        (_with_components({"type": "footer", "parameters": []}), 400, 100),
        (_with_components({"type": "body", "parameters": [{"type": "text"}]}), 400, 100),
        (_with_components(*[{"type": "body", "parameters": []}] * 2), 400, 100),
        (_with_components("body"), 400, 100),
        ({**TEXT, "biz_opaque_callback_data": "x" * 513}, 400, 100),
    ],
)
async def test_meta_refuses_a_wrong_message(providers: MessageProviders, message: Any, status: int, code: int) -> None:
    """An error object with Meta's code; nothing is kept."""
    answered, error = await _whatsapp(providers, message)
    assert (answered, error["error"]["code"]) == (status, code)
    assert not providers.sent


async def test_meta_refuses_strangers_and_other_numbers(providers: MessageProviders) -> None:
    """401 and code 190 for a wrong token, 400 for a phone number that is not the token's."""
    assert (await _whatsapp(providers, TEXT, token="wrong"))[0] == 401
    assert (await _whatsapp(providers, TEXT, phone="1"))[0] == 400
    assert not providers.sent


async def test_a_repeated_request_is_another_message(providers: MessageProviders) -> None:
    """Like the real ones: no key, no deduplication."""
    for _ in range(2):
        await _sms(providers, SMS)
        await _whatsapp(providers, _template("order_update", "one", "two"))
    assert len({one.id for one in providers.sent}) == 4
