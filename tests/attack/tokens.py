"""Twenty tokens that do not hold, each on every operation there is: 401, or 429 where the address fails too often."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from app.admin.routes import OPERATIONS
from app.settings import Settings
from tests.attack.ground import Ground
from tests.attack.report import Check

_REFUSED: Final = (401, 429)


def bad_tokens(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield headers that must not get in, by what is wrong with each."""
    secret, now = settings.jwt_secret.get_secret_value(), int(time.time())
    good: dict[str, Any] = {
        "sub": str(uuid4()),
        "role": "admin",
        "iss": settings.jwt_issuer,
        "aud": settings.jwt_audience,
    }
    good |= {"exp": now + 600}

    def signed(key: Any = secret, algorithm: str = "HS256", headers: Any = None, **changes: Any) -> str:
        claims = {name: value for name, value in {**good, **changes}.items() if value is not None}
        return "Bearer " + jwt.encode(claims, key, algorithm=algorithm, headers=headers)

    yield "none at all", ""
    yield "no bearer", "Basic YWRtaW46YWRtaW4="
    yield "empty", "Bearer "
    yield "no token", "Bearer null"
    yield "three dots", "Bearer a.b.c"
    yield "very long", "Bearer " + "a" * 7000
    yield "alg none", signed(None, "none")
    yield "another secret", signed("another-secret-of-32-bytes-or-more!")
    yield "empty secret", _by_hand(good)
    yield "HS512", signed(algorithm="HS512")
    yield "RS256 with a key of ours", signed(rsa.generate_private_key(65537, 2048), "RS256", {"kid": "1"})
    yield "ES256 with a key of ours", signed(ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": "1"})
    yield "expired", signed(exp=now - 60)
    yield "without expiry", signed(exp=None)
    yield "not yet valid", signed(nbf=now + 600)
    yield "another issuer", signed(iss="elsewhere")
    yield "another audience", signed(aud="anon")
    yield "without a user", signed(sub=None)
    yield "a user that is no id", signed(sub="' OR 1=1 --")
    yield "its signature cut", signed()[:-8]
    yield "its claims swapped", _swapped(signed(role="user"), signed(key="x" * 32))
    yield "an API key that is none", "Bearer hrk_" + "a" * 43


def _by_hand(claims: dict[str, Any]) -> str:
    """Sign with no key at all, which the library refuses to."""
    parts = (json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(hmac.digest(b"", signed, "sha256")).rstrip(b"=")
    return f"Bearer {signed.decode()}.{signature.decode()}"


def _swapped(good: str, other: str) -> str:
    head, _, signature = good.split(".")
    return ".".join((head, other.split(".")[1], signature))


async def bad_tokens_get_nowhere(ground: Ground) -> list[Check]:
    """Try each on each operation that asks for a token."""
    check = Check("tokens that do not hold, on every operation")
    asking = [operation for operation in OPERATIONS if operation.access != "public"]
    for wrong, header in bad_tokens(ground.stack.settings):
        for operation in asking:
            path = _filled(operation.path)
            answer = await ground.call(operation.method, path, {}, Authorization=header)
            check.note(f"{wrong}: {operation.method} {path}: {answer.status}", held=answer.status in _REFUSED)
    check.figures["operations"] = len(asking)
    return [check, await _good_ones_still_do(ground)]


async def _good_ones_still_do(ground: Ground) -> Check:
    check = Check("good tokens from the same address, right after those")
    for _ in range(20):
        answer = await ground.call("GET", "/api/v1/workflows", token=ground.token())
        check.note(f"GET /api/v1/workflows: {answer.status}", held=answer.status == 200)
    return check


def _filled(path: str) -> str:
    parts = [
        str(uuid4()) if part.startswith("{id") else "1" if part.startswith("{") else part for part in path.split("/")
    ]
    return "/".join(parts)
