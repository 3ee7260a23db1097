"""E-mail over SMTP: a few connections per process, kept and used again.

One message is one SMTP transaction, all or nothing: where the server refuses one recipient, none gets it. So trying
again never sends a second copy to those who were accepted.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from aiosmtplib import (
    SMTP,
    SMTPConnectError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from app.adapters.mail.mime import Envelope, build_envelope
from app.domain.errors import ActionFailedError
from app.domain.redaction import redactor_of
from app.ports import MailMessage

CONNECTIONS: Final = 20
IDLE_SECONDS: Final = 30.0
QUIT_SECONDS: Final = 1.0
DATA_SHARE: Final = 0.5
PERMANENT_FROM: Final = 500


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over.

    Attributes:
        host: The server's name, which its certificate must carry.
        port: Its TCP port.
        tls: ``none``, ``starttls`` or ``tls``. A certificate is trusted as OpenSSL does on this machine, so that
            ``SSL_CERT_FILE`` adds an authority of your own.
        username: The user to log in as; empty: no login.
        password: That user's password.
        ehlo_name: What we call ourselves; many servers refuse or distrust ``localhost``.
    """

    host: str
    port: int
    tls: str = "none"
    username: str = ""
    password: str = field(default="", repr=False)
    ehlo_name: str = "localhost"


@asynccontextmanager
async def open_mailer(server: SmtpServer, *, connections: int = CONNECTIONS) -> AsyncIterator["SmtpMailer"]:
    """Open the process's mailer; it connects when the first message comes, and says QUIT at the end.

    Args:
        server: Where mail is handed over.
        connections: Messages handed over at once, at most.
    """
    mailer = SmtpMailer(server, connections=connections)
    try:
        yield mailer
    finally:
        await mailer.close()


@dataclass(slots=True)
class _Progress:
    """How far a transaction got: from ``data_begun`` on, silence leaves open whether the message was taken.

    ``data_until``: DATA is not begun later (the loop's clock); so little time would leave the outcome open.
    """

    data_until: float
    data_begun: bool = False

    def begin_data(self) -> None:
        """Note that the message goes over now.

        Raises:
            TimeoutError: It is too late to begin.
        """
        if asyncio.get_running_loop().time() > self.data_until:
            raise TimeoutError
        self.data_begun = True


class SmtpMailer:
    """Hands e-mail to one server; implements ``app.ports.Mailer``."""

    def __init__(self, server: SmtpServer, *, connections: int = CONNECTIONS) -> None:
        self._server = server
        self._slots = asyncio.Semaphore(connections)
        self._idle: list[tuple[SMTP, float]] = []
        self._tls = ssl.create_default_context() if server.tls != "none" else None

    async def send(self, message: MailMessage, *, within: float) -> None:
        """Deliver to the server within ``within`` seconds, waiting for a free connection included.

        Raises:
            ActionFailedError: Refused (5yz: permanent; 4yz: not) or unreachable; ``effect_unknown`` where the
                connection was lost, or the time ran out, after the message had begun to go over.
        """
        envelope = build_envelope(message, datetime.now(UTC))
        progress = _Progress(data_until=asyncio.get_running_loop().time() + within * DATA_SHARE)
        try:
            async with asyncio.timeout(within), self._slots:
                await self._deliver(envelope, progress)
        except (SMTPException, OSError) as error:
            failure = _failure(error, progress, within)
            failure.args = (self._blotted(str(failure)),)
            raise failure from error

    def _blotted(self, said: str) -> str:
        """Return what a server says without the password: it may well repeat what it was sent."""
        return redactor_of(frozenset(filter(None, (self._server.password,)))).text(said)

    async def close(self) -> None:
        """Say QUIT on the idle connections and close them."""
        while self._idle:
            client, _ = self._idle.pop()
            with suppress(SMTPException, OSError):  # whether the server hears us out changes nothing any more
                await client.quit(timeout=QUIT_SECONDS)
            client.close()

    async def _deliver(self, envelope: Envelope, progress: _Progress) -> None:
        idle = self._idle_client()
        if idle is not None:
            try:
                await self._transact(idle, envelope, progress)
            except SMTPServerDisconnected:
                if progress.data_begun:
                    raise
                # It hung up while the connection was idle; over a new one this is still the first attempt.
            else:
                return
        await self._transact(await self._connect(), envelope, progress)

    async def _transact(self, client: SMTP, envelope: Envelope, progress: _Progress) -> None:
        try:
            await client.mail(envelope.sender)
            for recipient in envelope.recipients:
                await client.rcpt(recipient)
            progress.begin_data()
            await client.data(envelope.data)
        except BaseException:
            client.close()
            raise
        self._idle.append((client, asyncio.get_running_loop().time()))

    def _idle_client(self) -> SMTP | None:
        """Return the connection that was used last, unless it has been idle for long: servers hang up on those."""
        while self._idle:
            client, since = self._idle.pop()
            if client.is_connected and asyncio.get_running_loop().time() - since < IDLE_SECONDS:
                return client
            client.close()
        return None

    async def _connect(self) -> SMTP:
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username or None,
            password=server.password or None,
            local_hostname=server.ehlo_name,
            timeout=None,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            tls_context=self._tls,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return client


def _failure(error: Exception, progress: _Progress, within: float) -> ActionFailedError:
    """Say what a failed hand-over came to. A reply of the server is certain; silence after DATA is not."""
    match error:
        case SMTPResponseException():
            to = f" of {error.recipient}" if isinstance(error, SMTPRecipientRefused) else ""
            said = " ".join(error.message.split())[:200]
            permanent = error.code >= PERMANENT_FROM and not isinstance(error, SMTPConnectError)
            # One recipient put off (greylisting) says nothing of the server; all else it does: it is not served.
            answered = isinstance(error, SMTPRecipientRefused)
            refusal = f"mail server's refusal{to}: {error.code} {said}"
            return ActionFailedError(refusal, permanent=permanent, answered=answered)
        case SMTPNotSupported():
            return ActionFailedError(f"mail server: {error}", permanent=True)
        case TimeoutError():
            return ActionFailedError(f"mail server: not within {within:g} s", effect_unknown=progress.data_begun)
        case _:
            return ActionFailedError(f"mail server: {error}", effect_unknown=progress.data_begun)
