"""A stand-in OpenID issuer that is as strict as a real one: client, redirect URI, PKCE and codes are all checked."""

import base64
import json
import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qs, unquote_plus, urlencode
from uuid import uuid4

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT: Final = "headrace"
SECRET: Final = "a client's secret: with + and %"
_KEY: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class OpenIdIssuer:
    """The issuer; who signs in says so by ``claims``.

    Attributes:
        redirect_uri: The one that the client has registered.
        claims: What ID tokens say beside what they must.
        key: What they are signed with.
        wrong: What the issuer does wrong, to be seen through; a claim of the token, or ``discovery``.
    """

    redirect_uri: str
    claims: dict[str, Any] = field(default_factory=dict)
    key: Any = _KEY
    wrong: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin without any code."""
        self._codes: dict[str, dict[str, str]] = {}
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        app.router.add_get("/keys", self._keys)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        """Its name."""
        return str(self.server.make_url("/")).rstrip("/")

    async def _discovery(self, _request: web.Request) -> web.Response:
        where = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        said = {"issuer": self.url, **{name: f"{self.url}/{path}" for name, path in where.items()}}
        return web.json_response({**said, **self.wrong.get("discovery", {})})

    async def _keys(self, _request: web.Request) -> web.Response:
        listed = json.loads(RSAAlgorithm.to_jwk(_KEY.public_key())) | {"alg": "RS256", "use": "sig", "kid": "1"}
        return web.json_response({"keys": [listed]})

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        wanted = {
            "client_id": CLIENT,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "code_challenge_method": "S256",
        }
        if not wanted.items() <= asked.items() or "openid" not in asked["scope"].split() or not asked["nonce"]:
            return web.Response(status=400, text=f"not as registered: {asked}")
        code = str(uuid4())
        self._codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"], "iss": self.url, "session_state": "x"})
        return web.Response(status=302, headers={"Location": f"{self.redirect_uri}?{back}"})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        asked = self._codes.pop(form.get("code", ""), None)  # a code is redeemed once
        login = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        client, _, secret = login.partition(":")
        if (unquote_plus(client), unquote_plus(secret)) != (CLIENT, SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        proof = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if (
            asked is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != asked["redirect_uri"]
            or proof != asked["code_challenge"]
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": asked["nonce"], **self.claims}
        said = {name: value for name, value in {**claims, **self.wrong}.items() if name != "discovery"}
        token = jwt.encode(said, self.key, algorithm="RS256", headers={"kid": "1"})
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": token})
