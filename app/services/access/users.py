"""Users, as administrators make, change and remove them; what a password may be, and who sets it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from app.domain.callers import Caller, Role, known_permissions
from app.domain.errors import ConflictError, FieldError, InvalidError, NotFoundError, StaleVersionError
from app.domain.paging import Page, Position, page_of, read_cursor
from app.domain.passwords import password_problem
from app.domain.sessions import new_link_token, token_digest
from app.domain.storable import is_storable
from app.domain.user_fields import email_problem, name_problem, permission_problem
from app.domain.versions import Expected, is_expected
from app.ports.users import CredentialStore, Passwords, User, UserFilter, UserStore

INVITED_FOR: Final = timedelta(hours=24)


class UserService:
    """The use cases.

    Args:
        store: Where users are kept.
        credentials: Where what proves them is kept.
        passwords: Hashes.
        now: The clock, in UTC.
    """

    def __init__(
        self,
        store: UserStore,
        credentials: CredentialStore,
        passwords: Passwords,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._credentials = credentials
        self._passwords = passwords
        self._now = now

    async def create(
        self,
        caller: Caller,
        email: str,
        name: str,
        role: Role,
        permissions: Collection[str],
        *,
        user_id: UUID | None = None,
    ) -> User:
        """Make one, without a password.

        Raises:
            InvalidError: A field is wrong.
            ConflictError: Another one has the e-mail or the id.
        """
        self._check(email, name, permissions)
        granted, now = known_permissions(permissions), self._now()
        made = User(user_id or uuid4(), email, name, role, granted, None, False, None, 1, now)
        return await self._store.insert(caller, made)

    async def get(self, caller: Caller, user_id: UUID) -> User:
        """Return one that the caller may see.

        Raises:
            NotFoundError: There is none.
        """
        return _there(await self._store.get(caller, user_id))

    async def by_email(self, caller: Caller, email: str) -> User:
        """Return one by their e-mail, in upper or lower case. Raises as ``get``."""
        found = await self._credentials.by_email(email)
        return _there(await self._store.get(caller, found.user_id) if found else None)

    async def page(self, caller: Caller, wanted: UserFilter, cursor: str | None, limit: int) -> Page[User]:
        """List those that the caller may see, newest first.

        Raises:
            InvalidError: The cursor is none of ours.
        """
        rows = await self._store.find(caller, wanted, read_cursor(cursor), limit + 1)
        return page_of(rows, limit, lambda user: Position(user.created_at, user.id))

    async def names(self, caller: Caller, ids: Collection[UUID]) -> Mapping[UUID, str]:
        """Return what those are called that there are and the caller may see, by their ids."""
        return await self._store.names(caller, ids) if ids else {}

    async def change(self, caller: Caller, user_id: UUID, version: Expected, changes: dict[str, Any]) -> User:
        """Change one; it takes effect within two seconds, everywhere. With the role their sessions end.

        Args:
            caller: Who changes it.
            user_id: Whom.
            version: The version that the caller has read; None for any.
            changes: Of ``email``, ``name``, ``role``, ``permissions`` and ``disabled`` those that change.

        Raises:
            InvalidError: A field is wrong.
            NotFoundError: There is none.
            StaleVersionError: They have another version by now.
            ConflictError: Another one has the e-mail, or they are the last administrator.
        """
        async with self._store.transaction(caller) as transaction:
            before = _there(await transaction.get(user_id))
            if not is_expected(before.version, version):
                raise StaleVersionError(f"The user has version {before.version} by now")
            after = self._changed(before, changes)
            # In another role they are to know that they are: they sign in anew.
            ends = after.role != before.role or after.disabled_at is not None
            return before if after == before else await transaction.update(after, ends_sessions=ends)

    async def delete(self, caller: Caller, user_id: UUID) -> None:
        """Remove one, and their sessions; what they own stays.

        Raises:
            NotFoundError: There is none.
            ConflictError: They are the last administrator.
        """
        async with self._store.transaction(caller) as transaction:
            _there(await transaction.get(user_id))
            await transaction.delete(user_id)

    async def set_password(self, caller: Caller, user_id: UUID, password: str, keep: UUID | None = None) -> None:
        """Set a password, and end all sessions of the user but for ``keep``; the caller was checked.

        Raises:
            InvalidError: It is too short, or easily guessed.
            NotFoundError: There is no such user.
        """
        found = await self._credentials.by_id(user_id)
        if found is None:
            raise NotFoundError("There is no such user")
        problems = password_errors(password, found.email, found.name)
        if problems:
            raise InvalidError(problems)
        await self._credentials.set_password(caller, user_id, await self._passwords.hash(password), keep)

    async def invite(self, caller: Caller, user: User, lives: timedelta = INVITED_FOR) -> str:
        """Return the token of a link that signs a user in once.

        Raises:
            ConflictError: They are disabled.
        """
        if user.disabled_at is not None:
            raise ConflictError("The user is disabled")
        token = new_link_token()
        digest = token_digest(token)
        assert digest is not None
        await self._credentials.add_link(caller, user.id, digest, self._now() + lives)
        return token

    def _changed(self, before: User, changes: dict[str, Any]) -> User:
        said = dict(changes)
        disabled = said.pop("disabled", before.disabled_at is not None)
        names = said.pop("permissions", before.permissions)
        self._check(said.get("email", before.email), said.get("name", before.name), names)
        since = (before.disabled_at or self._now()) if disabled else None
        return replace(before, **said, permissions=known_permissions(names), disabled_at=since)

    @staticmethod
    def _check(email: str, name: str, permissions: Collection[str]) -> None:
        said = {"email": email_problem(email), "name": name_problem(name)}
        said |= {f"permissions[{at}]": permission_problem(one) for at, one in enumerate(permissions)}
        problems = [FieldError(path, problem) for path, problem in said.items() if problem]
        if problems:
            raise InvalidError(problems)


def password_errors(password: str, email: str, name: str) -> list[FieldError]:
    """Return why a user cannot have a password; empty where they can."""
    problem = password_problem(password, email, name)
    if problem is None and is_storable(password):
        return []
    return [FieldError("password", problem or "is no text")]


def _there(user: User | None) -> User:
    if user is None:
        raise NotFoundError("There is no such user")
    return user
