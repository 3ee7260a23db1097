"""Secrets as executors get at them: opened here, and kept for a moment, so that commands cost no query each."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.errors import SecretsKeyError
from app.domain.grants import NOBODY, Grant
from app.ports import Cipher, Sealed, SealedSecrets, SecretValues
from app.services.access.recent import Recent

MAX_AGE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Known:
    """A name's value or problem, and who may use it."""

    value: str | None
    problem: str
    grant: Grant = NOBODY


class SecretCache:
    """Implements ``app.ports.Secrets``.

    What is older than two seconds is read again, at the next use and once for all who ask at that moment.

    Args:
        source: Where the sealed values are.
        cipher: Opens sealed values.
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
        self._seen = seen
        self._noun = noun
        self._recent: Recent[str, _Known] = Recent(self._read, MAX_AGE_S, clock)

    async def get(self, names: Collection[str]) -> SecretValues:
        """Return each name's value or problem, at most two seconds old.

        Raises:
            UnreachableError: Postgres stayed away for too long.
        """
        known = await self._recent.get(names)
        return SecretValues(
            {name: one.value for name, one in known.items() if one.value is not None},
            {name: one.problem for name, one in known.items() if one.value is None},
            {name: one.grant for name, one in known.items() if one.value is not None},
        )

    async def _read(self, names: Sequence[str]) -> dict[str, _Known]:
        sealed = await self._source.read(names)
        return {name: self._open(name, sealed.get(name)) for name in names}

    def _open(self, name: str, sealed: Sealed | None) -> _Known:
        if sealed is None:
            return _Known(None, f"there is no {self._noun} {name}; an administrator can store one")
        try:
            value = self._cipher.decrypt(sealed.value)
        except SecretsKeyError as error:
            return _Known(None, f"the {self._noun} {name} cannot be opened: {error}")
        self._seen(value)
        return _Known(value, "", sealed.grant)
