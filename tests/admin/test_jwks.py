"""Tokens signed with keys from a JWKS URL: taken, cached, followed through a rotation; nothing forged gets in."""

import json
from typing import Any
from uuid import uuid4

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from pydantic import SecretStr

from app.admin.auth import Authenticator, UnauthorizedError, mint_token
from app.admin.jwks import ASK_AGAIN_S, FRESH_S, KeySet, UnknownKeyError, fetch_json
from app.domain.errors import UnreachableError
from app.settings import Settings
from tests.admin.conftest import SECRET
from tests.admin.test_auth import claims

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_2 = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
URL = "https://keys.example/jwks.json"


def public(key: Any, key_id: str | None, **more: Any) -> dict[str, Any]:
    """A key as a JWKS lists it."""
    algorithm = ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else RSAAlgorithm
    name = "ES256" if algorithm is ECAlgorithm else "RS256"
    listed = json.loads(algorithm.to_jwk(key.public_key())) | {"alg": name, "use": "sig", **more}
    return listed if key_id is None else {**listed, "kid": key_id}


def signed(key: Any, key_id: str | None, algorithm: str = "RS256", **changes: Any) -> str:
    """A header with a token."""
    headers = {} if key_id is None else {"kid": key_id}
    return f"Bearer {jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)}"


class Source:
    """A JWKS URL without a network; ``keys`` None is one that does not answer."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys: list[dict[str, Any]] | None = list(keys)
        self.asked = 0
        self.now = 0.0

    async def fetch(self, url: str) -> Any:
        """Answer."""
        assert url == URL
        self.asked += 1
        if self.keys is None:
            raise UnreachableError("it is down (told so by the test)")
        return {"keys": self.keys}

    def key_set(self) -> KeySet:
        """The key set over it."""
        return KeySet(URL, self.fetch, lambda: self.now)

    def authenticator(self, **settings: Any) -> Authenticator:
        """An authenticator that knows only this source's keys, unless it is given a secret."""
        return Authenticator(Settings(**settings), self.key_set())


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256")])
async def test_a_token_signed_with_a_listed_key_is_taken(key: Any, algorithm: str) -> None:
    """RS256 and ES256, by the key's id; a second token asks nobody."""
    source = Source(public(RSA, "r"), public(EC, "e"))
    authenticator = source.authenticator()
    for _ in range(2):
        caller = await authenticator.caller(signed(key, "r" if key is RSA else "e", algorithm))
        assert caller.role == "user"
    assert source.asked == 1


async def test_a_token_without_a_key_id_means_the_only_key() -> None:
    """With one key there is no doubt; with two there is."""
    assert await Source(public(RSA, "r")).authenticator().caller(signed(RSA, None))
    with pytest.raises(UnauthorizedError):
        await Source(public(RSA, "r"), public(EC, "e")).authenticator().caller(signed(RSA, None))


async def test_a_rotation_is_followed() -> None:
    """A token under a new key is taken at once; the old key goes when the set no longer has it."""
    source = Source(public(RSA, "1"))
    authenticator = source.authenticator()
    await authenticator.caller(signed(RSA, "1"))
    source.keys, source.now = [public(RSA_2, "2")], ASK_AGAIN_S
    await authenticator.caller(signed(RSA_2, "2"))
    with pytest.raises(UnauthorizedError):
        await authenticator.caller(signed(RSA, "1"))


async def test_made_up_key_ids_do_not_make_us_ask() -> None:
    """However many come, the set is asked for once in ten seconds."""
    source = Source(public(RSA, "1"))
    keys = source.key_set()
    await keys.key("1")
    source.now = ASK_AGAIN_S
    for number in range(50):
        with pytest.raises(UnknownKeyError):
            await keys.key(f"made-up-{number}")
    assert source.asked == 2


async def test_known_keys_outlive_an_outage_of_their_source() -> None:
    """While the URL is down, what is known stays in use; where nothing was known, the API says that it cannot tell."""
    source = Source(public(RSA, "1"))
    keys = source.key_set()
    await keys.key("1")
    source.keys, source.now = None, FRESH_S
    assert (await keys.key("1")).key_id == "1"
    silent = Source()
    silent.keys = None
    unknown = silent.key_set()
    for _ in range(5):
        with pytest.raises(UnreachableError, match="told so"):
            await unknown.key("1")
    assert silent.asked == 1
    silent.keys, silent.now = [public(RSA, "1")], ASK_AGAIN_S
    assert (await unknown.key("1")).key_id == "1"


@pytest.mark.parametrize(
    "token",
    [
        signed(RSA_2, "r"),
        signed(RSA, "other"),
        signed(EC, "r", "ES256"),
        signed(RSA, "r", "RS512"),
        signed(RSA, "r", iss="elsewhere"),
        signed(RSA, "r", exp=1),
        signed(json.dumps(public(RSA, "r")) + "x" * 32, "r", "HS256"),
        signed("", "r", "none"),
    ],
)
async def test_what_is_forged_is_refused(token: str) -> None:
    """Another key under a known id, a wrong kind of key, another algorithm, a public key as a secret, no signature."""
    with pytest.raises(UnauthorizedError):
        await Source(public(RSA, "r")).authenticator().caller(token)


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "kid": "r", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "alg": "HS256"},
        public(RSA, "r", use="enc"),
        public(RSA, "r", alg="RS512"),
        {"kty": "RSA", "kid": "r"},
        {"kid": "r"},
    ],
)
async def test_a_key_that_may_not_sign_is_left_out(key: dict[str, Any]) -> None:
    """A secret, a key for encryption, one of another algorithm, and what is no key; the others stay usable."""
    keys = Source(key, public(EC, "e")).key_set()
    assert await keys.key("e")
    with pytest.raises(UnknownKeyError):
        await keys.key("r")


async def test_secret_and_key_set_work_side_by_side() -> None:
    """With both configured, both kinds of token get in; with a key set alone, no HS256 token does."""
    source = Source(public(RSA, "r"))
    both = source.authenticator(jwt_secret=SecretStr(SECRET))
    minted = f"Bearer {mint_token(Settings(jwt_secret=SecretStr(SECRET)), uuid4(), 'admin', 60)}"
    assert (await both.caller(minted)).role == "admin"
    assert (await both.caller(signed(RSA, "r"))).role == "user"
    with pytest.raises(UnauthorizedError):
        await source.authenticator().caller(minted)


async def test_the_document_is_fetched_over_http() -> None:
    """200 and JSON; a redirect, an error, other content or too much of it is no key set."""

    async def serve(request: web.Request) -> web.StreamResponse:
        answers = {
            "good": web.json_response({"keys": []}),
            "moved": web.Response(status=302, headers={"Location": "/good"}),
            "error": web.Response(status=500),
            "text": web.Response(text="<html>"),
            "large": web.Response(body=b'"' + b"x" * 300_000 + b'"'),
        }
        return answers[request.match_info["what"]]

    app = web.Application()
    app.router.add_get("/{what}", serve)
    async with TestServer(app) as server:
        good = str(server.make_url("/good"))
        assert await fetch_json(good) == {"keys": []}
        for what in ("moved", "error", "text", "large"):
            with pytest.raises(UnreachableError, match=what):
                await fetch_json(str(server.make_url(f"/{what}")))
    with pytest.raises(UnreachableError):
        await fetch_json(good)
