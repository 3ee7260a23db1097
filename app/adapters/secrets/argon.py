"""Passwords as Argon2id hashes (RFC 9106), with the parameters of OWASP's cheat sheet: 19 MiB, two passes, one lane.

A hash takes 40 ms and 19 MiB: it runs on a thread, which lets the event loop go on, and only two do at once, so that
many who try to sign in take turns instead of the memory.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from app.domain.passwords import normalized

if TYPE_CHECKING:
    from argon2 import PasswordHasher

AT_ONCE: Final = 2
# Of a password that nobody knows, by the same parameters: a user who is not there costs as much.
_NOBODYS: Final = "$argon2id$v=19$m=19456,t=2,p=1$1dsd0McT9NBl1Vwv/o3MjQ$yL/5tM3C8MA/Zp6zVrEwnVD/nTASUuo75LruHDboi9g"


class Argon2Passwords:
    """Implements ``app.ports.users.Passwords``. What hashes is loaded at the first use."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._loaded: PasswordHasher | None = None

    async def hash(self, password: str) -> str:
        """Hash one."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher().hash, normalized(password))

    async def verify(self, password_hash: str | None, password: str) -> tuple[bool, bool]:
        """Tell whether a password is the one, and whether its hash is to be made anew."""
        async with self._turn:
            is_it = await asyncio.to_thread(self._verify, password_hash or _NOBODYS, normalized(password))
        known = password_hash is not None and is_it
        return known, known and self._hasher().check_needs_rehash(password_hash or "")

    def _verify(self, password_hash: str, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - loaded at the first use

        try:
            return self._hasher().verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher  # noqa: PLC0415 - loaded at the first use

        if self._loaded is None:
            self._loaded = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        return self._loaded
