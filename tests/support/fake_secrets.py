"""Secrets in memory, held to the same contract tests as those in Postgres."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from app.domain.callers import Caller
from app.domain.errors import UnreachableError
from app.domain.grants import EVERYBODY, Grant, Use
from app.ports import Sealed, SecretEntry, SecretUse, SecretValues

KEY: Final = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER_KEY: Final = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="


class MemorySecrets:
    """Implements ``app.ports.SecretStore``, ``app.ports.SealedSecrets`` and ``app.ports.SecretGrants``.

    Attributes:
        reads: The names of each read, in order.
    """

    def __init__(self) -> None:
        self._rows: dict[str, tuple[SecretEntry, bytes]] = {}
        self.reads: list[list[str]] = []

    async def put(
        self, caller: Caller, name: str, sealed: bytes | None, grant: Callable[[Grant | None], Grant]
    ) -> SecretEntry | None:
        """Store a value under a name, or its grant alone."""
        known = self._rows.get(name)
        value = sealed if sealed is not None else known[1] if known else None
        if value is None:
            return None
        entry = SecretEntry(name, caller.user_id, datetime.now(UTC), grant(known[0].grant if known else None))
        self._rows[name] = (entry, value)
        return entry

    async def entries(self, caller: Caller) -> Sequence[SecretEntry]:
        """Return all, by name."""
        return [entry for _, (entry, _) in sorted(self._rows.items())]

    async def delete(self, caller: Caller, name: str) -> bool:
        """Remove one."""
        return self._rows.pop(name, None) is not None

    async def read(self, names: Collection[str]) -> Mapping[str, Sealed]:
        """Return those that there are."""
        self.reads.append(sorted(names))
        rows = {name: self._rows[name] for name in names if name in self._rows}
        return {name: Sealed(value, entry.grant) for name, (entry, value) in rows.items()}

    async def of(self, names: Collection[str]) -> Mapping[str, Grant]:
        """Return the grants of those that there are."""
        return {name: self._rows[name][0].grant for name in names if name in self._rows}


class FixedSecrets:
    """Implements ``app.ports.Secrets`` over values that never change.

    Attributes:
        asked: The names of each question, in order.
        grants: Who may use them, by name; those that it does not name are for everybody.
    """

    def __init__(self, **values: str) -> None:
        self._values = values
        self.asked: list[list[str]] = []
        self.grants: dict[str, Grant] = {}

    async def get(self, names: Collection[str]) -> SecretValues:
        """Return each name's value or problem."""
        self.asked.append(sorted(names))
        return SecretValues(
            {name: self._values[name] for name in names if name in self._values},
            {name: f"there is no secret {name}" for name in names if name not in self._values},
            {name: self.grants.get(name, EVERYBODY) for name in names},
        )


class MemorySecretUses:
    """Implements ``app.ports.SecretUseStore`` and, at once, ``app.ports.SecretUseNotes``.

    Attributes:
        added: Every use that was given to it, in order.
        reachable: Whether it takes any.
    """

    def __init__(self) -> None:
        self.added: list[SecretUse] = []
        self.reachable = True

    async def add(self, uses: Sequence[SecretUse]) -> None:
        """Keep uses."""
        if not self.reachable:
            raise UnreachableError("down")
        self.added += uses

    def note(self, names: Collection[str], use: Use) -> None:
        """Keep that a workflow was given secrets."""
        self.added += [SecretUse(name, use) for name in sorted(names)]
