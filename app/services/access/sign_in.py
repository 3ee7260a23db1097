"""Signing in: by e-mail and password, or by a link that holds once. Attempts are bounded by account and by address.

An attempt counts before it is judged, and whether there is such an account or not: what comes back, and when, does
not tell. Sessions and links go on while an account has too many attempts, so nobody locks another out for good.
"""

from typing import Final
from uuid import UUID

from app.domain.sessions import How, token_digest
from app.ports.audit import Why
from app.ports.users import Credentials, CredentialStore, Passwords
from app.services.access.attempts import Attempts
from app.services.access.sessions import Sessions

# Offices share an address.
ADDRESS_SHARE: Final = 3


class SignInService:
    """The use cases; each opens a session, and returns its token, or None for who has not proved who they are.

    Args:
        credentials: What proves it.
        passwords: Hashes.
        sessions: Opens sessions.
        attempts: Bounds them, and tells of those that fail.
    """

    def __init__(
        self,
        credentials: CredentialStore,
        passwords: Passwords,
        sessions: Sessions,
        attempts: Attempts,
    ) -> None:
        self._credentials = credentials
        self._passwords = passwords
        self._sessions = sessions
        self._attempts = attempts

    async def by_password(self, email: str, password: str, address: str, agent: str) -> str | None:
        """Sign in with a password; who is not there, disabled or without one is as one with another password.

        Raises:
            RateLimitedError: There were too many attempts.
            UnreachableError: Postgres does not answer.
        """
        await self.count(address)
        await self._attempts.at_account(email.strip(), address)
        found = await self._credentials.by_email(email.strip())
        if not await self._proves(found, password) or found is None or found.disabled:
            await self._attempts.failed(email.strip(), address, _why(found))
            return None
        return await self.opened(found.user_id, "password", address, agent)

    async def proves(self, user_id: UUID, password: str | None, address: str) -> bool:
        """Tell whether it is a user's password; one who has none proves it by their session.

        Raises:
            RateLimitedError: There were too many attempts.
        """
        found = await self._credentials.by_id(user_id)
        if found is None or found.password_hash is None:
            return found is not None
        await self._attempts.at_account(found.email, address)
        if await self._proves(found, password or ""):
            return True
        await self._attempts.failed(found.email, address, "wrong_password")
        return False

    async def by_link(self, token: str, address: str, agent: str) -> str | None:
        """Sign in with a link's token; of many at once one does.

        Raises:
            RateLimitedError: There were too many attempts.
            UnreachableError: Postgres does not answer.
        """
        await self.count(address)
        digest = token_digest(token)
        user_id = await self._credentials.take_link(digest) if digest is not None else None
        if user_id is None:
            await self._attempts.failed("", address, "bad_link")
            return None
        return await self.opened(user_id, "link", address, agent)

    async def count(self, address: str) -> None:
        """Count an attempt of an address.

        Raises:
            RateLimitedError: There were too many.
            UnreachableError: Postgres does not answer.
        """
        await self._attempts.of_address(address)

    async def refused_by_issuer(self, address: str) -> None:
        """Note that somebody could not sign in at the issuer, or is nobody here.

        Raises:
            UnreachableError: Postgres does not answer.
        """
        await self._attempts.failed("", address, "not_by_issuer")

    async def opened(self, user_id: UUID, how: How, address: str, agent: str) -> str:
        """Open a session for who has proved who they are."""
        _, token = await self._sessions.open(user_id, how, address, agent)
        await self._credentials.note_sign_in(user_id)
        return token

    async def _proves(self, found: Credentials | None, password: str) -> bool:
        before = found.password_hash if found else None
        is_it, outdated = await self._passwords.verify(before, password)
        if found is not None and before is not None and is_it and outdated:
            await self._credentials.rehash(found.user_id, before, await self._passwords.hash(password))
        return is_it


def _why(found: Credentials | None) -> Why:
    if found is None:
        return "no_such_user"
    if found.disabled:
        return "disabled"
    return "no_password" if found.password_hash is None else "wrong_password"
