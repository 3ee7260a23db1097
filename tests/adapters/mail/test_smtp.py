"""What only real SMTP can show: the bytes that arrive, connections, refusals, silence half-way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from app.adapters.mail.smtp import CONNECTIONS, SmtpMailer, SmtpServer, open_mailer
from app.domain.errors import ActionFailedError
from app.embedded.mail import Mailbox
from tests.adapters.mail.test_mailer_contract import MESSAGE
from tests.attack.spellings import pieces, spellings
from tests.support.deadlines import scaled

CONVERSATION = {"EHLO": "250 ready", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", "": "250 taken"}


@dataclass(slots=True)
class ScriptedServer:
    """An SMTP server that answers each verb as the script says; no answer scripted: it hangs up there.

    Attributes:
        script: Reply by verb; the empty verb is the end of the message.
        verbs: What was said to it, in order.
        connections: How many were made.
        slow: Seconds until it answers a verb.
    """

    script: dict[str, str] = field(default_factory=lambda: dict(CONVERSATION))
    verbs: list[str] = field(default_factory=list)
    connections: int = 0
    slow: dict[str, float] = field(default_factory=dict)
    port: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        self.writers.append(writer)
        writer.write(b"220 ready\r\n")
        try:
            async for verb in _verbs(reader):
                self.verbs.append(verb)
                reply = self.script.get(verb)
                if reply is None:
                    break
                await asyncio.sleep(self.slow.get(verb, 0))
                writer.write(f"{reply}\r\n".encode())
        finally:
            writer.close()


async def _verbs(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    in_data = False
    while line := await reader.readline():
        if in_data:
            if line != b".\r\n":
                continue
            in_data = False
            yield ""
            continue
        verb = line.split()[0].decode().upper()
        in_data = verb == "DATA"
        yield verb


@asynccontextmanager
async def _serving(served: ScriptedServer, **login: str) -> AsyncIterator[SmtpMailer]:
    server = await asyncio.start_server(served.handle, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        async with open_mailer(SmtpServer("127.0.0.1", served.port, **login)) as mailer:
            yield mailer
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
def scripted() -> ScriptedServer:
    """A server that says yes to everything until its script is changed."""
    return ScriptedServer()


async def _fails(mailer: SmtpMailer, within: float | None = None) -> ActionFailedError:
    with pytest.raises(ActionFailedError) as failure:
        await mailer.send(MESSAGE, within=within or scaled(5))
    return failure.value


async def test_the_message_arrives_as_it_was_rendered(mailbox: Mailbox) -> None:
    """Headers, both parts and all recipients arrive; bcc is in the envelope and nowhere in the message."""
    async with open_mailer(SmtpServer("127.0.0.1", mailbox.smtp_port)) as mailer:
        await mailer.send(MESSAGE, within=scaled(5))
    mail = mailbox.mails[0]
    assert mail.sender == "shop@shop.example"
    assert mail.recipients == ("ada@customers.example", "support@shop.example", "audit@shop.example")
    assert (mail.subject, mail.text.split()) == (MESSAGE.subject, MESSAGE.text.split())
    assert mail.html.strip() == MESSAGE.html
    assert "audit@" not in str(mail.headers)
    assert dict(mail.headers)["Reply-To"] == "support@shop.example"
    assert "+0000" in dict(mail.headers)["Date"]


async def test_a_connection_is_used_again_and_not_more_than_allowed(scripted: ScriptedServer) -> None:
    """Messages one after the other share a connection; many at once share what is allowed."""
    async with _serving(scripted) as mailer:
        for _ in range(3):
            await mailer.send(MESSAGE, within=scaled(5))
        assert scripted.connections == 1
        await asyncio.gather(*(mailer.send(MESSAGE, within=scaled(5)) for _ in range(60)))
        assert scripted.connections <= CONNECTIONS
    assert scripted.verbs.count("") == 63


async def test_a_connection_the_server_dropped_is_replaced(scripted: ScriptedServer) -> None:
    """After the server hung up on an idle connection the next message goes over a new one, at the first attempt."""
    async with _serving(scripted) as mailer:
        await mailer.send(MESSAGE, within=scaled(5))
        scripted.writers[0].close()
        await scripted.writers[0].wait_closed()
        await mailer.send(MESSAGE, within=scaled(5))
    assert (scripted.connections, scripted.verbs.count("")) == (2, 2)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", ""])
@pytest.mark.parametrize(("reply", "permanent"), [("451 later", False), ("550 never", True)])
async def test_a_refusal_is_certain(scripted: ScriptedServer, verb: str, reply: str, permanent: bool) -> None:  # noqa: FBT001 - a test's parameter
    """4yz may be tried again, 5yz not; either way the server said that it did not take the message."""
    scripted.script[verb] = reply
    async with _serving(scripted) as mailer:
        failure = await _fails(mailer)
    assert (failure.permanent, failure.effect_unknown) == (permanent, False)
    assert reply in str(failure)


async def test_nobody_gets_it_where_one_recipient_is_refused(scripted: ScriptedServer) -> None:
    """All or nothing: after a refused recipient no DATA follows, and the text names who was refused."""
    scripted.script["RCPT"] = "550 unknown"
    async with _serving(scripted) as mailer:
        failure = await _fails(mailer)
    assert "DATA" not in scripted.verbs
    assert "ada@customers.example" in str(failure)


@pytest.mark.parametrize(("verb", "unknown"), [("EHLO", False), ("MAIL", False), ("RCPT", False), ("", True)])
async def test_only_silence_after_data_is_unknown(scripted: ScriptedServer, verb: str, unknown: bool) -> None:  # noqa: FBT001 - a test's parameter
    """A connection lost before DATA surely had no effect; one lost after the message went over leaves it open."""
    del scripted.script[verb]
    scripted.script.pop("HELO", None)
    async with _serving(scripted) as mailer:
        failure = await _fails(mailer)
    assert (failure.permanent, failure.effect_unknown) == (False, unknown)


async def test_a_server_that_is_not_there_may_come_back() -> None:
    """Nobody listening is no permanent failure and had no effect."""
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with open_mailer(SmtpServer("127.0.0.1", port)) as mailer:
        failure = await _fails(mailer)
    assert (failure.permanent, failure.effect_unknown) == (False, False)


async def test_time_that_runs_out_in_the_greeting_had_no_effect() -> None:
    """A server that accepts and says nothing costs the time given, and surely took nothing."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _r, w: writers.append(w), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with open_mailer(SmtpServer("127.0.0.1", port)) as mailer:
        failure = await _fails(mailer, within=0.2)
    for writer in writers:
        writer.close()
    server.close()
    await server.wait_closed()
    assert (failure.permanent, failure.effect_unknown) == (False, False)
    assert "0.2 s" in str(failure)


async def test_a_server_without_starttls_is_not_trusted_with_mail(mailbox: Mailbox) -> None:
    """Where STARTTLS is asked for and not offered, nothing goes over in the clear."""
    async with open_mailer(SmtpServer("127.0.0.1", mailbox.smtp_port, tls="starttls")) as mailer:
        await _fails(mailer)
    assert not mailbox.mails


async def test_an_html_only_message_and_odd_names_hold(mailbox: Mailbox) -> None:
    """HTML alone, a display name with comma and accent, and a duplicate recipient all make a proper message."""
    odd = replace(
        MESSAGE, text="", to=['"Silva, João" <joao@customers.example>', "joao@customers.example"], cc=(), bcc=()
    )
    async with open_mailer(SmtpServer("127.0.0.1", mailbox.smtp_port)) as mailer:
        await mailer.send(odd, within=scaled(5))
    mail = mailbox.mails[0]
    assert mail.recipients == ("joao@customers.example",)
    assert "Silva, João" in dict(mail.headers)["To"]
    assert (mail.text, mail.html.strip()) == ("", MESSAGE.html)


async def test_a_message_is_not_begun_when_its_time_is_nearly_up(scripted: ScriptedServer) -> None:
    """DATA that starts late would leave the outcome open: the attempt fails while nothing can have been sent."""
    scripted.slow = {"RCPT": 0.13}
    async with _serving(scripted) as mailer:
        failure = await _fails(mailer, within=0.6)
    assert not failure.effect_unknown
    assert "DATA" not in scripted.verbs


@pytest.mark.parametrize("spelled", spellings("mail-password-77f0a3").items(), ids=lambda one: one[0])
async def test_a_server_that_repeats_the_password_tells_the_log_nothing(
    scripted: ScriptedServer, spelled: tuple[str, str]
) -> None:
    """In whichever spelling, whole or cut: no eight characters of it are in the error."""
    scripted.script |= {"EHLO": "250-ready\r\n250 AUTH PLAIN", "AUTH": f"535 5.7.8 not {spelled[1][1:]}"}
    async with _serving(scripted, username="ada", password="mail-password-77f0a3") as mailer:
        said = str(await _fails(mailer))
    assert "535" in said
    assert not [piece for _, piece in pieces("mail-password-77f0a3") if piece in said]
