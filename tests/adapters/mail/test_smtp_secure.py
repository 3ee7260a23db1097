"""TLS, STARTTLS and login, against a mail server that takes nothing without them; settings as a worker reads them."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr

from app.adapters.mail.smtp import SmtpServer, open_mailer
from app.domain.errors import ActionFailedError
from app.processes.roles.outside import smtp_server
from app.settings import Settings
from tests.adapters.mail.test_mailer_contract import MESSAGE
from tests.support.deadlines import scaled

CERTIFICATE = Path(__file__).with_name("localhost.pem")
PASSWORD = "correct horse"


@dataclass
class SecureServer:
    """A mail server that wants TLS first, then a login.

    Attributes:
        tls: ``tls`` from the first byte on, or ``starttls``.
        greetings: What clients called themselves in EHLO, in order.
        taken: Who logged in, and whether the connection was encrypted, of each message taken.
        port: Where it listens.
    """

    tls: str
    greetings: list[str] = field(default_factory=list)
    taken: list[tuple[str, bool]] = field(default_factory=list)
    port: int = 0

    def protocol(self) -> SMTP:
        """Return what serves one connection."""
        starttls = _server_context() if self.tls == "starttls" else None
        return SMTP(
            self,
            hostname="localhost",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=self.authenticate,
            auth_require_tls=starttls is not None,  # it sees only the TLS that it began itself
        )

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> Any:
        """Know one user."""
        known = LoginPassword(b"shop", PASSWORD.encode())
        return AuthResult(success=data == known, handled=False, auth_data=data)

    async def handle_EHLO(  # noqa: N802 - aiosmtpd finds it by this name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Note the client's name."""
        session.host_name = hostname
        self.greetings.append(hostname)
        return responses

    async def handle_MAIL(  # noqa: N802 - the same
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take mail only from who has logged in."""
        if not session.authenticated:
            return "530 5.7.0 log in first"
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_DATA(self, server: SMTP, session: Session, _envelope: Envelope) -> str:  # noqa: N802 - the same
        """Take the message."""
        encrypted = server.transport is not None and server.transport.get_extra_info("cipher") is not None
        self.taken.append((session.auth_data.login.decode(), encrypted))
        return "250 2.0.0 taken"


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@pytest.fixture(params=["tls", "starttls"])
async def secure(request: pytest.FixtureRequest) -> AsyncIterator[SecureServer]:
    """Both ways to TLS, one after the other."""
    made = SecureServer(request.param)
    context = _server_context() if made.tls == "tls" else None
    server = await asyncio.get_running_loop().create_server(made.protocol, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the server's certificate one that this machine trusts, as its administrator would."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


def settings(secure: SecureServer, password: str = PASSWORD) -> SmtpServer:
    """What a worker makes of its settings."""
    return smtp_server(
        Settings(
            smtp_host="127.0.0.1",
            smtp_port=secure.port,
            smtp_tls=secure.tls,
            smtp_username="shop",
            smtp_password=SecretStr(password),
            mail_from="The Shop <shop@mail.shop.example>",
        )
    )


@pytest.mark.usefixtures("trusted")
async def test_mail_goes_over_tls_after_a_login(secure: SecureServer) -> None:
    """Two messages over one connection; the client calls itself by the domain that the mail comes from."""
    async with open_mailer(settings(secure)) as mailer:
        for _ in range(2):
            await mailer.send(MESSAGE, within=scaled(5))
    assert secure.taken == [("shop", True)] * 2
    assert set(secure.greetings) == {"mail.shop.example"}


@pytest.mark.usefixtures("trusted")
async def test_a_wrong_login_is_permanent(secure: SecureServer) -> None:
    """No further attempt helps; nothing was sent, and the error does not tell the password."""
    async with open_mailer(settings(secure, "battery staple")) as mailer:
        with pytest.raises(ActionFailedError, match="535") as failure:
            await mailer.send(MESSAGE, within=scaled(5))
    assert failure.value.permanent
    assert not failure.value.effect_unknown
    assert "staple" not in str(failure.value)
    assert secure.taken == []


async def test_a_server_that_nobody_vouches_for_gets_nothing(secure: SecureServer) -> None:
    """Neither mail nor password: a certificate that is not trusted ends the connection."""
    async with open_mailer(settings(secure)) as mailer:
        with pytest.raises(ActionFailedError, match=r"(?i)certificate") as failure:
            await mailer.send(MESSAGE, within=scaled(5))
    assert not failure.value.effect_unknown
    assert secure.taken == []
