"""Bearer tokens: JWTs that say who calls (``sub``) and in which role.

HS256 with the installation's secret, RS256 or ES256 with a key from the JWKS URL; either or both. An algorithm goes
with its own kind of key, so that a public key never passes for a secret. Issuer, audience and expiry are checked.

The role is ``role`` (user or admin) and the permissions are ``permissions`` (a list of names). In a token as Supabase
makes it (``role`` is ``authenticated``) they are ``app_metadata.role`` and ``app_metadata.permissions``, which users
cannot set themselves.

A service has an API key instead (``hrk_...``): a principal of its own, which may exactly what its key grants.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast
from uuid import UUID

import jwt

from app.admin.jwks import ALGORITHMS, KeySet, UnknownKeyError
from app.domain.api_keys import PREFIX as KEY_PREFIX
from app.domain.callers import Caller, Permission, Role, known_permissions
from app.domain.errors import HeadraceError, SettingsError
from app.services.access.key_lookup import KeyLookup
from app.settings import Settings

_SHARED_KEY_ALGORITHM: Final = "HS256"
_REQUIRED: Final = ["exp", "iss", "aud", "sub"]
_LEEWAY_S: Final = 10
_ROLES: Final = ("user", "admin")
_SUPABASE_ROLE: Final = "authenticated"


class UnauthorizedError(HeadraceError):
    """No token, or one that does not hold; the text says which, for the ``WWW-Authenticate`` header."""


class ForbiddenError(HeadraceError):
    """The token holds, but its role may not do this."""


class Authenticator:
    """Reads callers off ``Authorization`` headers.

    Args:
        settings: Secret, JWKS URL, issuer and audience.
        keys: The key set, instead of the one behind the JWKS URL.
        api_keys: Where services' keys are looked up; None: none are taken.

    Raises:
        SettingsError: There is neither a secret nor a JWKS URL.
    """

    def __init__(self, settings: Settings, keys: KeySet | None = None, *, api_keys: KeyLookup | None = None) -> None:
        url = settings.jwks_url
        self._keys = keys or (KeySet(url) if url else None)
        self._secret = settings.jwt_secret.get_secret_value() if self._keys else _secret(settings)
        self._audience = settings.jwt_audience
        self._issuer = settings.jwt_issuer
        self._everybodys = settings.everybodys_permissions
        self._api_keys = api_keys

    async def caller(self, authorization: str | None) -> Caller:
        """Check a header's token, and add what every user may. Raises as ``granted``."""
        return self.admitted(await self.granted(authorization))

    def admitted(self, granted: Caller) -> Caller:
        """Return a caller with what every user may beside what their token grants; an API key is no user."""
        return granted if granted.is_key else replace(granted, permissions=granted.permissions | self._everybodys)

    async def granted(self, authorization: str | None) -> Caller:
        """Check a header's token, and return what it grants by itself.

        Raises:
            UnauthorizedError: It does not hold.
            ForbiddenError: It names no role of ours.
            UnreachableError: The key set was never fetched, and cannot be now; or API keys cannot be looked up.
        """
        token = _bearer(authorization)
        if token.startswith(KEY_PREFIX):
            return await self._service(token)
        try:
            key = await self._key(token)
            claims = self._claims(token, key)
        except jwt.ExpiredSignatureError:
            raise UnauthorizedError("the token has expired") from None
        except jwt.InvalidTokenError as error:
            raise UnauthorizedError(f"the token does not hold: {why_not(error)}") from None
        try:
            user_id = UUID(claims["sub"])
        except ValueError:
            raise UnauthorizedError("the token's sub must be a UUID") from None
        role, permissions = _granted(claims)
        return Caller(user_id, role, permissions)

    async def _service(self, token: str) -> Caller:
        found = await self._api_keys.caller(token) if self._api_keys is not None else None
        if found is None:
            raise UnauthorizedError("the API key is none, or was revoked, or has expired")
        return found

    async def _key(self, token: str) -> jwt.PyJWK | str:
        header = jwt.get_unverified_header(token)
        if header.get("alg") == _SHARED_KEY_ALGORITHM and self._secret:
            return self._secret
        if header.get("alg") not in ALGORITHMS or self._keys is None:
            raise jwt.InvalidAlgorithmError("the algorithm is none that this installation takes")
        try:
            return await self._keys.key(header.get("kid"))
        except UnknownKeyError as error:
            raise UnauthorizedError(str(error)) from None

    def _claims(self, token: str, key: jwt.PyJWK | str) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name if isinstance(key, jwt.PyJWK) else _SHARED_KEY_ALGORITHM],
            audience=self._audience,
            issuer=self._issuer,
            leeway=_LEEWAY_S,
            options={"require": _REQUIRED},
        )


# The first that fits: what is said of a token that does not hold.
_WHY_NOT: Final[Sequence[tuple[type[jwt.InvalidTokenError], str]]] = (
    (jwt.InvalidSignatureError, "its signature is not by a key of this installation"),
    (jwt.ExpiredSignatureError, "it has expired"),
    (jwt.ImmatureSignatureError, "it does not hold yet"),
    (jwt.InvalidIssuedAtError, "its iat is no time"),
    (jwt.InvalidAudienceError, "its aud is not this installation's"),
    (jwt.InvalidIssuerError, "its iss is not this installation's"),
    (jwt.InvalidAlgorithmError, "its algorithm is none that this installation takes"),
    (jwt.DecodeError, "it is no JWT"),
)


def why_not(error: jwt.InvalidTokenError) -> str:
    """Say why a token does not hold, in words that hold nothing of it."""
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"it says no {error.claim}"
    return next((said for kind, said in _WHY_NOT if isinstance(error, kind)), "a claim of it is wrong")


def mint_token(
    settings: Settings, user_id: UUID, role: Role, ttl: float, permissions: Collection[Permission] = ()
) -> str:
    """Make a token that the API of these settings accepts.

    Args:
        settings: Secret, issuer and audience.
        user_id: The ``sub`` claim.
        role: ``user`` or ``admin``.
        ttl: Seconds until it expires.
        permissions: What a user may do beside what every user may.

    Raises:
        SettingsError: There is no secret.
    """
    now = int(time.time())
    claims = {
        "sub": str(user_id),
        "role": role,
        "permissions": sorted(permissions),
        "iss": settings.jwt_issuer,
        "aud": settings.jwt_audience,
        "iat": now,
        "exp": now + max(1, round(ttl)),
    }
    return jwt.encode(claims, _secret(settings), algorithm=_SHARED_KEY_ALGORITHM)


def _secret(settings: Settings) -> str:
    secret = settings.jwt_secret.get_secret_value()
    if not secret:
        raise SettingsError("HEADRACE_JWT_SECRET is not set: take the API's own, or start one here with `make up`")
    return secret


def _bearer(authorization: str | None) -> str:
    if not authorization:
        raise UnauthorizedError("send a token: Authorization: Bearer <token>")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError("the Authorization header must be: Bearer <token>")
    return token.strip()


def _granted(claims: Mapping[str, Any]) -> tuple[Role, frozenset[Permission]]:
    """Return the role and the permissions that a token grants.

    Raises:
        ForbiddenError: It names no role of ours, or its permissions are no list.
    """
    granting: Any = claims
    if claims.get("role") == _SUPABASE_ROLE:
        metadata = claims.get("app_metadata")
        granting = {"role": "user", **metadata} if isinstance(metadata, dict) else {"role": "user"}
    role, names = granting.get("role"), granting.get("permissions", [])
    if role not in _ROLES:
        raise ForbiddenError("the token's role must be user or admin")
    if not isinstance(names, list):
        raise ForbiddenError("the token's permissions must be a list of names")
    return cast("Role", role), known_permissions(names)
