"""Tokens for SASL OAUTHBEARER, got by client credentials (RFC 6749, 4.4) and kept while they hold."""

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, urlsplit

import aiohttp
from aiokafka import conn
from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import OAuthAuthenticator
from aiokafka.errors import KafkaConnectionError

from app.domain.errors import SettingsError
from app.domain.kafka_connection import OAuthLogin

_WITHIN_S: Final = 5.0
# Of its life; a broker refuses one that ends while a connection is made.
_USED_FOR: Final = 0.8
_DEFAULT_LIFE_S: Final = 300.0
_OK: Final = 200


class _Authenticator(OAuthAuthenticator):
    """aiokafka's, which takes the broker's refusal of a token for a success and goes on without a login."""

    async def step(self, payload: bytes | None) -> tuple[bytes | str, bool] | None:
        """Return what to send next; a challenge after the token is a refusal, to be confirmed (RFC 7628, 3.2.3)."""
        if payload:
            return b"\x01", True
        step: tuple[bytes | str, bool] | None = await super().step(payload)
        return step


def install() -> None:
    """Have connections of this process hear a broker's refusal of a token; more than once does no harm."""
    conn.OAuthAuthenticator = _Authenticator


class TokenError(KafkaConnectionError):
    """No token was given; the text names the setting. Clients try again, as when a broker does not answer."""


class TokenProvider(AbstractTokenProvider):
    """What aiokafka asks for a token at each new connection.

    A broker that ends a connection when its token does is connected to again, with a new token.

    Args:
        login: Where to ask, as whom.
        cafile: Authorities to trust beside the system's, since who has an own one has it for the token URL too.
        clock: Monotonic seconds.
    """

    def __init__(self, login: OAuthLogin, *, cafile: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._login = login
        self._cafile = cafile
        self._clock = clock
        self._asking = asyncio.Lock()
        self._token = ""
        self._until = 0.0

    async def token(self) -> str:
        """Return a token that holds for a while.

        Raises:
            TokenError: The token URL gives none within 5 seconds.
        """
        async with self._asking:
            if self._clock() >= self._until:
                asked = self._clock()
                token, life = _read(self._login, await self._ask())
                self._token, self._until = token, asked + life * _USED_FOR
            return self._token

    async def _ask(self) -> Any:
        login = self._login
        body = {"grant_type": "client_credentials"} | ({"scope": login.scope} if login.scope else {})
        # Encoded as a form first (RFC 6749, 2.3.1).
        user = aiohttp.encode_basic_auth(quote(login.client_id, safe=""), quote(login.client_secret, safe=""))
        timeout = aiohttp.ClientTimeout(total=_WITHIN_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers={"Authorization": user}) as session,
                session.post(login.token_url, data=body, ssl=self._context(), allow_redirects=False) as answer,
            ):
                if answer.status != _OK:
                    raise _refused(login, answer.status)
                return await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            why = str(error) or type(error).__name__
            raise TokenError(f"HEADRACE_KAFKA_OAUTH_TOKEN_URL gives no token: {why[:300]}") from error

    def _context(self) -> ssl.SSLContext | bool:
        if urlsplit(self._login.token_url).scheme != "https":
            return True
        context = ssl.create_default_context()
        if self._cafile:
            try:
                context.load_verify_locations(self._cafile)
            except OSError as error:
                raise SettingsError(f"HEADRACE_KAFKA_SSL_CAFILE: {self._cafile}: {error.strerror}") from None
        return context


def _read(login: OAuthLogin, answer: Any) -> tuple[str, float]:
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise TokenError(f"{login.token_url} (HEADRACE_KAFKA_OAUTH_TOKEN_URL) answers without an access_token")
    life = answer.get("expires_in", _DEFAULT_LIFE_S)
    return token, float(life) if isinstance(life, int | float) and life > 0 else _DEFAULT_LIFE_S


def _refused(login: OAuthLogin, status: int) -> TokenError:
    what = (
        "HEADRACE_KAFKA_OAUTH_CLIENT_ID, HEADRACE_KAFKA_OAUTH_CLIENT_SECRET or HEADRACE_KAFKA_OAUTH_SCOPE is refused"
        if status in {400, 401, 403}
        else "HEADRACE_KAFKA_OAUTH_TOKEN_URL gives no token"
    )
    return TokenError(f"{what}: {login.token_url} answers {status}")
