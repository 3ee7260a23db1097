"""Bearer tokens: HS256 JWTs that say who calls (``sub``) and in which role.

The algorithm is pinned, and issuer, audience and expiry are checked. The role is ``role`` (user or admin), or for a
token as Supabase makes it (``role`` is ``authenticated``) ``app_metadata.role``, which users cannot set themselves.
"""

import time
from collections.abc import Mapping
from typing import Any, Final, cast
from uuid import UUID

import jwt

from app.domain.callers import Caller, Role
from app.domain.errors import HeadraceError, SettingsError
from app.settings import Settings

_ALGORITHM: Final = "HS256"
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
        settings: Secret, issuer and audience.

    Raises:
        SettingsError: There is no secret.
    """

    def __init__(self, settings: Settings) -> None:
        self._secret = _secret(settings)
        self._audience = settings.jwt_audience
        self._issuer = settings.jwt_issuer

    def caller(self, authorization: str | None) -> Caller:
        """Check a header's token.

        Raises:
            UnauthorizedError: It does not hold.
            ForbiddenError: It names no role of ours.
        """
        claims = self._claims(_bearer(authorization))
        try:
            user_id = UUID(claims["sub"])
        except ValueError:
            raise UnauthorizedError("the token's sub must be a UUID") from None
        return Caller(user_id, _role(claims))

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY_S,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError:
            raise UnauthorizedError("the token has expired") from None
        except jwt.InvalidTokenError as error:
            raise UnauthorizedError(f"the token does not hold ({type(error).__name__})") from None


def mint_token(settings: Settings, user_id: UUID, role: Role, ttl: float) -> str:
    """Make a token that the API of these settings accepts.

    Args:
        settings: Secret, issuer and audience.
        user_id: The ``sub`` claim.
        role: ``user`` or ``admin``.
        ttl: Seconds until it expires.

    Raises:
        SettingsError: There is no secret.
    """
    now = int(time.time())
    claims = {
        "sub": str(user_id),
        "role": role,
        "iss": settings.jwt_issuer,
        "aud": settings.jwt_audience,
        "iat": now,
        "exp": now + max(1, round(ttl)),
    }
    return jwt.encode(claims, _secret(settings), algorithm=_ALGORITHM)


def _secret(settings: Settings) -> str:
    secret = settings.jwt_secret.get_secret_value()
    if not secret:
        raise SettingsError("HEADRACE_JWT_SECRET is not set; the API needs a secret of at least 32 bytes")
    return secret


def _bearer(authorization: str | None) -> str:
    if not authorization:
        raise UnauthorizedError("send a token: Authorization: Bearer <token>")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError("the Authorization header must be: Bearer <token>")
    return token.strip()


def _role(claims: Mapping[str, Any]) -> Role:
    role = claims.get("role")
    if role == _SUPABASE_ROLE:
        metadata = claims.get("app_metadata")
        role = metadata.get("role", "user") if isinstance(metadata, dict) else "user"
    if role not in _ROLES:
        raise ForbiddenError("the token's role must be user or admin")
    return cast("Role", role)
