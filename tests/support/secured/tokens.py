"""A token endpoint of the tests: client credentials against unsecured tokens, which Kafka's own validator takes."""

import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web

from app.domain.kafka_connection import OAuthLogin


class TokenEndpoint:
    """Gives tokens to clients that know the secret; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.url = ""
        self.life = 300
        self.secret = "oauth-s3cret"

    def login(self, user: str, *, secret: str | None = None, scope: str = "") -> OAuthLogin:
        """Return what a client of this endpoint is told."""
        return OAuthLogin(self.url, user, self.secret if secret is None else secret, scope)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request for a token (RFC 6749, 4.4.2)."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        client, _, secret = base64.b64decode(encoded).decode().partition(":")
        self.asked.append(form)
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        if scheme != "Basic" or secret != self.secret:
            return web.json_response({"error": "invalid_client"}, status=401)
        # Who asks for no scope that this endpoint knows gets what Kafka refuses.
        lifetime = -60 if form.get("scope") == "expired" else self.life
        token = unsecured({"sub": client, "iat": time.time() - 120, "exp": time.time() + lifetime})
        return web.json_response({"access_token": token, "token_type": "bearer", "expires_in": self.life})


def unsecured(claims: dict[str, Any]) -> str:
    """Return an unsecured JWS (RFC 7515, appendix A.5)."""
    return f"{_part({'alg': 'none'})}.{_part(claims)}."


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


@asynccontextmanager
async def token_endpoint() -> AsyncIterator[TokenEndpoint]:
    """Serve an endpoint on loopback."""
    endpoint = TokenEndpoint()
    app = web.Application()
    app.router.add_post("/token", endpoint.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    try:
        yield endpoint
    finally:
        await runner.cleanup()
