"""Destinations outside that repeat what they were sent, in every spelling: a web server, providers, a mail server."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_string
from email.policy import default
from itertools import count
from typing import Any, Final
from urllib.parse import unquote_plus

import orjson
from aiohttp import web

from tests.attack.planted import Planted
from tests.attack.spellings import spellings

# An address of this machine that webhooks may reach here: a stand-in for the public internet.
OUTSIDE: Final = "127.9.9.9"
HEADER: Final = "X-Secret"
_PARTS: Final = 3


@dataclass(slots=True)
class Echoes:
    """The servers.

    Attributes:
        planted: What they may be sent, and so repeat.
        url: Where the web server is.
        smtp_port: Where the mail server is, on the same address.
        repeated: The secrets that were repeated, by who did.
    """

    planted: Planted
    url: str = ""
    smtp_port: int = 0
    repeated: set[tuple[str, str]] = field(default_factory=set)
    _turns: Iterator[int] = field(default_factory=count)
    _logins: Iterator[int] = field(default_factory=count)

    def spelled(self, sent: str, who: str) -> str:
        """Return the secret that is in what was sent, in the next spelling, whole or cut."""
        secret = self.planted.found_in(sent)
        self.repeated.add((who, secret))
        turn = next(self._turns)
        said = list(spellings(secret).values())[turn % 8]
        return (said, said[: len(said) // 2], said[5:-5])[turn % _PARTS]

    async def webhook(self, request: web.Request) -> web.StreamResponse:
        """Repeat the secret in all spellings at once, with the status that the path asks for."""
        secret = self.planted.found_in(_sent(request, await request.text()))
        self.repeated.add(("webhook", secret))
        said = [one for text in spellings(secret).values() for one in (text, text[: len(text) // 2], text[5:-5])]
        status = int(request.match_info["status"])
        kind = "application/json" if len(request.path) % 2 else "text/plain"
        text = orjson.dumps(said).decode() if kind.endswith("json") else "\n".join(said)
        headers = {"Location": f"http://{OUTSIDE}:1/{spellings(secret)['hex']}"}
        return web.Response(status=status, text=text, headers=headers, content_type=kind)

    async def provider(self, request: web.Request) -> web.StreamResponse:
        """Refuse a message as Twilio and Meta do, with the credentials that came along."""
        said = self.spelled(_sent(request, await request.text()), "provider")
        why = {"code": 1, "message": f"no: {said}"}
        return web.json_response({**why, "error": why}, status=400)

    async def mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the login or not, and never a message; every refusal repeats what was sent."""
        writer.write(b"220 ready\r\n")
        body: list[str] = []
        try:
            async for line in _lines(reader):
                if body or line == "DATA":
                    body.append(line)
                    reply = "354 go on" if line == "DATA" else f"550 not {self.spelled(_mailed(body), 'mail')}"
                    if line not in {"DATA", "."}:
                        continue
                    body = body if line == "DATA" else []
                else:
                    reply = self._reply(line)
                writer.write(f"{reply}\r\n".encode())
        except ConnectionError:
            pass  # who hangs up has been told enough
        finally:
            writer.close()

    def _reply(self, line: str) -> str:
        verb, _, rest = line.partition(" ")
        if verb.upper() == "EHLO":
            return "250-ready\r\n250 AUTH PLAIN"
        if verb.upper() != "AUTH":
            return "250 ok"
        turn = next(self._logins)
        if turn % 3:
            return "235 ok"
        # The first is refused for good, the others for now: they are tried again, so that each message is refused, too.
        code = "454 4.7.0" if turn else "535 5.7.8"
        login = base64.b64decode(rest.split(" ")[-1]).decode()
        return f"{code} not {self.spelled(login, 'mail')}"


def _sent(request: web.Request, body: str) -> str:
    login = request.headers.get("Authorization", "").partition(" ")[2]
    if request.headers.get("Authorization", "").startswith("Basic "):
        login = base64.b64decode(login).decode()
    return "\n".join([request.headers.get(HEADER, ""), login, unquote_plus(request.raw_path), body])


def _mailed(lines: list[str]) -> str:
    message = message_from_string("\r\n".join(lines[1:-1]), policy=default)
    part = message.get_body()
    return f"{message['Subject']}\n{part.get_content() if part else ''}"


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    while line := await reader.readline():
        yield line.decode(errors="replace").rstrip("\r\n")


@asynccontextmanager
async def echoes(planted: Planted) -> AsyncIterator[Echoes]:
    """Run them all."""
    made, app = Echoes(planted), web.Application()
    app.router.add_post("/2010-04-01/{rest:.*}", made.provider)
    app.router.add_post("/v{version}/{rest:.*}", made.provider)
    app.router.add_route("*", "/{status:[0-9]+}{rest:.*}", made.webhook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, OUTSIDE, 0).start()
    mail: Any = await asyncio.start_server(made.mail, OUTSIDE, 0)
    made.url, made.smtp_port = f"http://{OUTSIDE}:{runner.addresses[0][1]}", mail.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        mail.close()
        await mail.wait_closed()
        await runner.cleanup()
