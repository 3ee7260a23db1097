"""An OpenID issuer (OpenID Connect Core 1.0): where it is asked, and whose ID tokens count.

The issuer is the operator's to name, so its addresses are not bounded as users' are (``webhook_allow_private``): it may
well be inside. But each must have TLS, unless the issuer itself is on loopback, no redirect is followed, and answers
are bounded in bytes and time, as the key set's are.
"""

import hmac
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

import aiohttp
import jwt
import orjson

from app.admin.auth import UnauthorizedError, why_not
from app.admin.cookies import is_plain_loopback
from app.admin.jwks import ALGORITHMS, KeySet, UnknownKeyError, fetch_json, read_whole
from app.domain.errors import UnreachableError
from app.domain.openid import Attempt
from app.settings import Settings

FRESH_S: Final = 3600.0
_WITHIN_S: Final = 5.0
_LEEWAY_S: Final = 60
_OK: Final = 200
_SERVER_ERRORS: Final = 500
_WHERE: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_REFUSED: Final = "the issuer did not confirm who signs in"


class OpenIdIssuer:
    """The issuer of some settings.

    Args:
        settings: Its URL, and what we are to it.
        clock: Seconds, monotonic.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = settings.oidc_issuer
        self._client = settings.oidc_client_id
        self._secret = settings.oidc_client_secret.get_secret_value()
        self._scopes = settings.oidc_scopes
        self._redirect = f"{settings.public_url}/api/v1/session/oidc/callback"
        self._clock = clock
        self._known: tuple[float, Mapping[str, str], KeySet] | None = None

    @property
    def url(self) -> str:
        """What ID tokens say as ``iss``; empty: there is no issuer."""
        return self._url

    async def authorization_url(self, attempt: Attempt) -> str:
        """Return where the browser is sent.

        Raises:
            UnreachableError: The issuer does not say where.
        """
        where, _ = await self._discovered()
        query = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": self._redirect,
            "scope": self._scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        end = where["authorization_endpoint"]
        return f"{end}{'&' if '?' in end else '?'}{urlencode(query)}"

    async def claims(self, code: str, attempt: Attempt) -> Mapping[str, Any]:
        """Redeem a code, and return what the ID token says of who has signed in.

        Raises:
            UnauthorizedError: The code or the token does not hold.
            UnreachableError: The issuer does not answer.
        """
        where, keys = await self._discovered()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "code_verifier": attempt.verifier,
        }
        answered = await self._post(where["token_endpoint"], form)
        token = answered.get("id_token")
        if not isinstance(token, str):
            raise UnauthorizedError(_REFUSED)
        return await self._checked(token, keys, attempt.nonce)

    async def _checked(self, token: str, keys: KeySet, nonce: str) -> Mapping[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise UnauthorizedError(f"{_REFUSED}: its token has another algorithm than {' or '.join(ALGORITHMS)}")
            key = await keys.key(header.get("kid"))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._client,
                issuer=self._url,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (jwt.InvalidTokenError, UnknownKeyError) as error:
            why = why_not(error) if isinstance(error, jwt.InvalidTokenError) else error
            raise UnauthorizedError(f"{_REFUSED}: its token does not hold: {why}") from None
        party = claims.get("azp", self._client if not isinstance(claims["aud"], list) else claims["aud"][0])
        if party != self._client or not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
            raise UnauthorizedError(f"{_REFUSED}: its token is of another attempt")
        return claims

    async def _discovered(self) -> tuple[Mapping[str, str], KeySet]:
        now = self._clock()
        if self._known is None or now - self._known[0] >= FRESH_S:
            where = self._endpoints(await fetch_json(f"{self._url.rstrip('/')}/.well-known/openid-configuration"))
            self._known = (now, where, KeySet(where["jwks_uri"], clock=self._clock))
        return self._known[1], self._known[2]

    def _endpoints(self, document: Any) -> Mapping[str, str]:
        said = document if isinstance(document, dict) else {}
        if said.get("issuer") != self._url:
            raise UnreachableError("the issuer calls itself by another name than HEADRACE_OIDC_ISSUER")
        where = {name: str(said.get(name, "")) for name in _WHERE}
        inside = is_plain_loopback(self._url)
        if any(not (url.startswith("https://") or (inside and is_plain_loopback(url))) for url in where.values()):
            raise UnreachableError(f"the issuer must say {', '.join(_WHERE)}, each with TLS")
        return where

    async def _post(self, url: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        login, sent = {}, {**form, "client_id": self._client}
        if self._secret:
            # As RFC 6749 (2.3.1) has it: both are form-encoded before they are joined.
            joined = f"{quote_plus(self._client)}:{quote_plus(self._secret)}".encode()
            login, sent = {"Authorization": f"Basic {b64encode(joined).decode()}"}, dict(form)
        try:
            timeout = aiohttp.ClientTimeout(total=_WITHIN_S)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(url, data=sent, headers=login, allow_redirects=False) as response,
            ):
                raw = await read_whole(response)
                if response.status >= _SERVER_ERRORS:
                    raise UnreachableError(f"the issuer answered {response.status}")
                if response.status != _OK:
                    raise UnauthorizedError(_REFUSED)
                answered = orjson.loads(raw)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise UnreachableError(f"the issuer does not answer ({type(error).__name__})") from error
        return answered if isinstance(answered, dict) else {}
