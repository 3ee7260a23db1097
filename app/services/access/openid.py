"""Signing in by OpenID Connect: whom the claims of an ID token are, and what they may."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from app.domain.callers import Role
from app.domain.mailboxes import parse_mailbox
from app.domain.storable import is_storable, marked
from app.ports.identities import Identity, IdentityStore

_MOST_SUBJECT: Final = 255
_MOST_EMAIL: Final = 254
_MOST_NAME: Final = 100


class OpenIdUsers:
    """Finds the user of claims.

    Args:
        store: Where identities are kept.
        role_claim: The claim that says the role; empty: roles are given here.
        admins: Values of it that make an administrator.
        create: Make a user of whom there is none.
    """

    def __init__(self, store: IdentityStore, role_claim: str, admins: frozenset[str], *, create: bool) -> None:
        self._store = store
        self._claim = role_claim
        self._admins = admins
        self._create = create

    async def user_of(self, claims: Mapping[str, Any]) -> UUID | None:
        """Return the user; None where there is none to be let in.

        An e-mail that the issuer has not verified is none: it may be anybody's.
        """
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= _MOST_SUBJECT or not is_storable(subject):
            return None
        email = _email(claims)
        name = claims.get("name") or (email or subject).partition("@")[0]
        said = " ".join(marked(str(name)).split())[:_MOST_NAME]
        identity = Identity(str(claims["iss"]), subject, email, said, self._role(claims))
        return await self._store.signed_in(identity, create=self._create)

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        if not self._claim:
            return None
        said = claims.get(self._claim)
        values = said if isinstance(said, list) else [said]
        return "admin" if any(value in self._admins for value in values if isinstance(value, str)) else "user"


def _email(claims: Mapping[str, Any]) -> str | None:
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str) or len(email) > _MOST_EMAIL:
        return None
    mailbox = parse_mailbox(email) if is_storable(email) else None
    return email if mailbox is not None and mailbox[1] == email else None
