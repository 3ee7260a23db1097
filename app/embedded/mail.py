"""A mail server for the demo and the tests: strict about what it takes, and shows it on a page."""

import asyncio
from collections import deque
from dataclasses import asdict, dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from html import escape
from time import time
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.embedded.free_ports import HOST
from app.embedded.kept import routes_of
from app.embedded.mail_rules import address_fault, message_fault

_KEPT = 10_000
_SIZE_LIMIT_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it arrived.

    Attributes:
        number: Order of arrival, from 1.
        received_at: Seconds since the epoch.
        sender: MAIL FROM of the envelope.
        recipients: RCPT TO of the envelope.
        message_id: The Message-ID header, in its angle brackets.
        subject: The Subject header, decoded.
        headers: All headers in order, decoded.
        text: The plain text part, "" without one.
        html: The HTML part, "" without one.
    """

    number: int
    received_at: float
    sender: str
    recipients: tuple[str, ...]
    message_id: str
    subject: str
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str


class Mailbox:
    """An SMTP server and its page, in the running event loop.

    Attributes:
        mails: What arrived, oldest first; the last 10,000.
        refused: Why messages and addresses were refused, in order.
    """

    def __init__(self, smtp_port: int = 0, http_port: int = 0, *, host: str = HOST) -> None:
        self.mails: deque[Mail] = deque(maxlen=_KEPT)
        self.refused: deque[str] = deque(maxlen=_KEPT)
        self.smtp_port = smtp_port
        self.http_port = http_port
        self._host = host
        self._count = 0
        self._server: asyncio.Server | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.http_port}"

    async def start(self) -> None:
        """Listen; port 0 picks a free one and is replaced by it.

        Raises:
            OSError: A port is taken.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, self._host, self.smtp_port)
        self.smtp_port = self._server.sockets[0].getsockname()[1]
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/messages", self._messages),
                web.delete("/messages", self._clear),
                *routes_of(self.mails, ("text", "html")),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.http_port)
        await site.start()
        self.http_port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        if self._runner is not None:
            await self._runner.cleanup()

    async def handle_MAIL(  # noqa: N802 - aiosmtpd finds it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender's address or refuse it (RFC 5321, 4.1.2)."""
        fault = address_fault(address) if address else None
        if fault:
            return self._refuse(f"553 5.1.7 {fault}")
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient's address or refuse it (RFC 5321, 4.1.2)."""
        fault = address_fault(address)
        if fault:
            return self._refuse(f"553 5.1.3 {fault}")
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd finds it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the message, or refuse what RFC 5322 does not allow."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        message = message_from_bytes(raw, _class=EmailMessage, policy=SMTP_POLICY)
        fault = message_fault(message)
        if fault:
            return self._refuse(f"554 5.6.0 {fault}")
        self._count += 1
        self.mails.append(_mail(self._count, envelope, message))
        return f"250 2.0.0 taken as {self._count}"

    def _protocol(self) -> SMTP:
        return SMTP(self, hostname="localhost", data_size_limit=_SIZE_LIMIT_BYTES, decode_data=False)

    def _refuse(self, reply: str) -> str:
        self.refused.append(reply)
        return reply

    async def _messages(self, _request: web.Request) -> web.Response:
        return web.json_response({"messages": [asdict(mail) for mail in self.mails], "refused": list(self.refused)})

    async def _clear(self, _request: web.Request) -> web.Response:
        self.mails.clear()
        self.refused.clear()
        return web.Response(status=204)

    async def _page(self, _request: web.Request) -> web.Response:
        rows = "".join(_row(mail) for mail in reversed(self.mails))
        body = f"{_PAGE_TOP}<p>{len(self.mails)} messages, newest first.</p><table>{_PAGE_HEAD}{rows}</table></html>"
        return web.Response(text=body, content_type="text/html")


def _mail(number: int, envelope: Envelope, message: EmailMessage) -> Mail:
    return Mail(
        number=number,
        received_at=time(),
        sender=envelope.mail_from or "",
        recipients=tuple(envelope.rcpt_tos),
        message_id=str(message["Message-ID"]).strip(),
        subject=str(message["Subject"] or ""),
        headers=tuple((name, str(value)) for name, value in message.items()),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part: Any = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


def _row(mail: Mail) -> str:
    cells = (str(mail.number), mail.sender, ", ".join(mail.recipients), mail.subject, mail.text or mail.html)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


_PAGE_TOP = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Mail</title>'
    "<style>body{font-family:sans-serif}td,th{padding:.3em .8em;text-align:left;vertical-align:top}"
    "td{white-space:pre-wrap;border-top:1px solid #ccc}</style><h1>Mail that arrived</h1>"
)
_PAGE_HEAD = "<tr><th>#</th><th>From</th><th>To</th><th>Subject</th><th>Text</th></tr>"
