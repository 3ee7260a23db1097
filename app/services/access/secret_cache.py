"""Secrets as executors get at them: opened here, and kept for a moment, so that commands cost no query each."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from app.domain.errors import SecretsKeyError
from app.domain.grants import NOBODY, Grant
from app.ports import Cipher, Sealed, SealedSecrets, SecretValues

MAX_AGE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Known:
    """A name's value or problem, who may use it, and when it was read."""

    value: str | None
    problem: str
    at: float
    grant: Grant = NOBODY


class SecretCache:
    """Implements ``app.ports.Secrets``.

    What is older than two seconds is read again, at the next use and once for all who ask at that moment.

    Args:
        source: Where the sealed values are.
        cipher: Opens them.
        clock: Seconds, monotonic.
        seen: Told every value that is read, so that logs can blot it out.
        noun: What one is called, for people.
    """

    def __init__(
        self,
        source: SealedSecrets,
        cipher: Cipher,
        clock: Callable[[], float],
        seen: Callable[[str], None] = lambda _: None,
        *,
        noun: str = "secret",
    ) -> None:
        self._source = source
        self._cipher = cipher
        self._clock = clock
        self._seen = seen
        self._noun = noun
        self._known: dict[str, _Known] = {}
        self._reading = asyncio.Lock()

    async def get(self, names: Collection[str]) -> SecretValues:
        """Return each name's value or problem, at most two seconds old.

        Raises:
            UnreachableError: Postgres stayed away for too long.
        """
        if self._stale(names):
            async with self._reading:
                stale = self._stale(names)
                if stale:
                    await self._read(stale)
        known = {name: self._known[name] for name in names}
        return SecretValues(
            {name: one.value for name, one in known.items() if one.value is not None},
            {name: one.problem for name, one in known.items() if one.value is None},
            {name: one.grant for name, one in known.items() if one.value is not None},
        )

    def _stale(self, names: Collection[str]) -> list[str]:
        oldest = self._clock() - MAX_AGE_S
        return [name for name in names if name not in self._known or self._known[name].at < oldest]

    async def _read(self, names: Collection[str]) -> None:
        at = self._clock()
        sealed = await self._source.read(names)
        for name in names:
            self._known[name] = self._open(name, sealed.get(name), at)

    def _open(self, name: str, sealed: Sealed | None, at: float) -> _Known:
        if sealed is None:
            return _Known(None, f"there is no {self._noun} {name}; an administrator can store one", at)
        try:
            value = self._cipher.decrypt(sealed.value)
        except SecretsKeyError as error:
            return _Known(None, f"the {self._noun} {name} cannot be opened: {error}", at)
        self._seen(value)
        return _Known(value, "", at, sealed.grant)
