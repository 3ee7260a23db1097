"""Twilio's and Meta's message APIs for the demo and the tests: as strict as they are, and keep what was taken.

Like the real ones they do not recognise a repeated request.
"""

import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hmac import compare_digest
from html import escape
from time import time
from typing import Any
from urllib.parse import parse_qs

import orjson
from aiohttp import BasicAuth, web

from app.embedded.free_ports import HOST
from app.embedded.kept import routes_of
from app.embedded.message_rules import Fault, parameters_of, sms_fault, whatsapp_fault
from app.embedded.provider_logins import Login

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that was taken.

    Attributes:
        number: Order of arrival, from 1.
        received_at: Seconds since the epoch.
        provider: ``twilio`` or ``whatsapp``.
        id: What the provider calls it.
        to: The recipient's number.
        text: The text; of a template its name and language.
        parameters: Name and text of what goes into a template's body.
        tracking: Meta's ``biz_opaque_callback_data``.
    """

    number: int
    received_at: float
    provider: str
    id: str
    to: str
    text: str
    parameters: tuple[tuple[str, str], ...] = ()
    tracking: str = ""


@dataclass(slots=True)
class Moods:
    """How it answers, for tests that need a provider in trouble.

    Attributes:
        first: Answered to the next ones instead, one each, and nothing taken: status, headers, body.
        lost: How many of the next messages are taken without an answer: the connection breaks.
    """

    first: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    lost: int = 0


class MessageProviders:
    """Both APIs on one port, in the running event loop, with a page at ``/`` and JSON at ``/messages``.

    Attributes:
        sent: What was taken, oldest first; the last 10,000.
        refused: Why messages were refused, in order.
        moods: How each provider answers.
    """

    def __init__(self, login: Login, port: int = 0, *, host: str = HOST) -> None:
        self.sent: deque[Sent] = deque(maxlen=_KEPT)
        self.refused: deque[str] = deque(maxlen=_KEPT)
        self.moods = Moods()
        self.port = port
        self._login = login
        self._host = host
        self._count = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        """Listen; port 0 picks a free one and is replaced by it.

        Raises:
            OSError: The port is taken.
        """
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/messages", self._messages),
                web.delete("/messages", self._clear),
                *routes_of(self.sent, ()),
                web.post("/2010-04-01/Accounts/{account}/Messages.json", self._twilio),
                web.post(r"/{version:v\d+\.\d+}/{phone}/messages", self._whatsapp),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _twilio(self, request: web.Request) -> web.Response:
        form = parse_qs((await request.read()).decode(errors="replace"), keep_blank_values=True)
        fault = self._twilio_login_fault(request) or sms_fault(form, self._login.number)
        if fault:
            return self._refuse("twilio", fault, _twilio_error(fault))
        if self.moods.first:
            return self._moody()
        made = self._keep("twilio", f"SM{secrets.token_hex(16)}", form["To"][0], form["Body"][0])
        answer = {"sid": made.id, "status": "queued", "to": made.to, "body": made.text, "error_code": None}
        return self._taken(request, 201, answer)

    def _twilio_login_fault(self, request: web.Request) -> Fault | None:
        try:
            given = BasicAuth.decode(request.headers.get("Authorization", ""), encoding="utf-8")
        except ValueError:
            return Fault(401, 20003, "Authenticate")
        known = given.login == self._login.account_sid and _same(given.password, self._login.auth_token)
        if not known or request.match_info["account"] != self._login.account_sid:
            return Fault(401, 20003, "Authenticate")
        if request.content_type != "application/x-www-form-urlencoded":
            return Fault(415, 20415, "Unsupported Content-Type")
        return None

    async def _whatsapp(self, request: web.Request) -> web.Response:
        message = _json(await request.read())
        fault = self._whatsapp_login_fault(request) or whatsapp_fault(message)
        if fault:
            return self._refuse("whatsapp", fault, _meta_error(fault))
        if self.moods.first:
            return self._moody()
        template = message.get("template", {})
        text = message["text"]["body"] if not template else f"{template['name']} ({template['language']['code']})"
        parameters = tuple(parameters_of(template.get("components", [])))
        tracking = str(message.get("biz_opaque_callback_data", ""))
        made = self._keep("whatsapp", f"wamid.{secrets.token_hex(16)}", message["to"], text, parameters, tracking)
        contacts = [{"input": made.to, "wa_id": made.to.removeprefix("+")}]
        answer = {"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": made.id}]}
        return self._taken(request, 200, answer)

    def _whatsapp_login_fault(self, request: web.Request) -> Fault | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not _same(token, self._login.access_token):
            return Fault(401, 190, f"Malformed access token {token}")  # the real one quotes it as well
        if request.match_info["phone"] != self._login.phone_number_id:
            return Fault(400, 100, "Unsupported post request. Object does not exist")
        if request.content_type != "application/json":
            return Fault(400, 100, "(#100) The body is not declared as JSON")
        return None

    def _keep(self, *facts: Any) -> Sent:
        self._count += 1
        made = Sent(self._count, time(), *facts)
        self.sent.append(made)
        return made

    def _taken(self, request: web.Request, status: int, answer: Mapping[str, Any]) -> web.Response:
        if self.moods.lost and request.transport is not None:
            self.moods.lost -= 1
            request.transport.abort()
        return web.json_response(answer, status=status)

    def _moody(self) -> web.Response:
        status, headers, body = self.moods.first.pop(0)
        return web.Response(status=status, headers=headers, text=body, content_type="application/json")

    def _refuse(self, provider: str, fault: Fault, answer: Mapping[str, Any]) -> web.Response:
        self.refused.append(f"{provider}: {fault.code}")
        return web.json_response(answer, status=fault.status)

    async def _messages(self, _request: web.Request) -> web.Response:
        return web.json_response({"messages": [asdict(one) for one in self.sent], "refused": list(self.refused)})

    async def _clear(self, _request: web.Request) -> web.Response:
        self.sent.clear()
        self.refused.clear()
        return web.Response(status=204)

    async def _page(self, _request: web.Request) -> web.Response:
        rows = "".join(_row(one) for one in reversed(self.sent))
        body = f"{_PAGE_TOP}<p>{len(self.sent)} messages, newest first.</p><table>{_PAGE_HEAD}{rows}</table></html>"
        return web.Response(text=body, content_type="text/html")


def _same(given: str, wanted: str) -> bool:
    return compare_digest(given.encode(), wanted.encode())


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _twilio_error(fault: Fault) -> dict[str, Any]:
    more = f"https://www.twilio.com/docs/errors/{fault.code}"
    return {"code": fault.code, "message": fault.message, "more_info": more, "status": fault.status}


def _meta_error(fault: Fault) -> dict[str, Any]:
    return {"error": {"message": fault.message, "type": "OAuthException", "code": fault.code, "fbtrace_id": "A"}}


def _row(one: Sent) -> str:
    parameters = ", ".join(text for _, text in one.parameters)
    cells = (str(one.number), one.provider, one.to, f"{one.text}: {parameters}" if parameters else one.text)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


_PAGE_TOP = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Messages</title>'
    "<style>body{font-family:sans-serif}td,th{padding:.3em .8em;text-align:left;vertical-align:top}"
    "td{white-space:pre-wrap;border-top:1px solid #ccc}</style><h1>SMS and WhatsApp messages that arrived</h1>"
)
_PAGE_HEAD = "<tr><th>#</th><th>By</th><th>To</th><th>Text</th></tr>"
