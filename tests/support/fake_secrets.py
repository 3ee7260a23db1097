"""Secrets in memory, held to the same contract tests as those in Postgres."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from app.domain.callers import Caller
from app.ports import SecretEntry, SecretValues

KEY: Final = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER_KEY: Final = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="


class MemorySecrets:
    """Implements ``app.ports.SecretStore`` and ``app.ports.SealedSecrets``.

    Attributes:
        reads: The names of each read, in order.
    """

    def __init__(self) -> None:
        self._rows: dict[str, tuple[SecretEntry, bytes]] = {}
        self.reads: list[list[str]] = []

    async def put(self, caller: Caller, name: str, sealed: bytes) -> SecretEntry:
        """Store a value under a name."""
        entry = SecretEntry(name, caller.user_id, datetime.now(UTC))
        self._rows[name] = (entry, sealed)
        return entry

    async def entries(self, caller: Caller) -> Sequence[SecretEntry]:
        """Return all, by name."""
        return [entry for _, (entry, _) in sorted(self._rows.items())]

    async def delete(self, caller: Caller, name: str) -> bool:
        """Remove one."""
        return self._rows.pop(name, None) is not None

    async def read(self, names: Collection[str]) -> Mapping[str, bytes]:
        """Return the sealed values of those that there are."""
        self.reads.append(sorted(names))
        return {name: self._rows[name][1] for name in names if name in self._rows}


class FixedSecrets:
    """Implements ``app.ports.Secrets`` over values that never change.

    Attributes:
        asked: The names of each question, in order.
    """

    def __init__(self, **values: str) -> None:
        self._values = values
        self.asked: list[list[str]] = []

    async def get(self, names: Collection[str]) -> SecretValues:
        """Return each name's value or problem."""
        self.asked.append(sorted(names))
        return SecretValues(
            {name: self._values[name] for name in names if name in self._values},
            {name: f"there is no secret {name}" for name in names if name not in self._values},
        )
