"""Where secrets are kept, and what seals them: a value is never at rest in the clear."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.domain.grants import Grant, Use


class Cipher(Protocol):
    """Seals texts with the keys of ``HEADRACE_SECRETS_KEY``."""

    def encrypt(self, text: str) -> bytes:
        """Seal a text with the newest key; twice the same text comes out differently.

        Raises:
            SecretsKeyError: No key is set; the text says how to make one.
        """

    def decrypt(self, sealed: bytes) -> str:
        """Open what ``encrypt`` made, with any of the keys.

        Raises:
            SecretsKeyError: No key is set, or none of them opens it; the text names the setting.
        """


@dataclass(frozen=True, slots=True)
class SecretEntry:
    """What may be seen of a secret.

    Attributes:
        updated_by: Who wrote it last, its value or its grant.
        grant: Who may use it, and where it may go.
    """

    name: str
    updated_by: UUID
    updated_at: datetime
    grant: Grant


class SecretStore(Protocol):
    """Secrets as administrators work on them: names and sealed values. Values only go in."""

    async def put(
        self, caller: Caller, name: str, sealed: bytes | None, grant: Callable[[Grant | None], Grant]
    ) -> SecretEntry | None:
        """Store a value under a name, in place of the one that is there.

        Args:
            caller: On whose behalf.
            name: The secret's name.
            sealed: The value; None keeps the one that is there.
            grant: Makes the grant of the one that is there, or of None.

        Returns:
            The entry; None where there is no value to be kept.
        """

    async def entries(self, caller: Caller) -> Sequence[SecretEntry]:
        """Return all, by name."""

    async def delete(self, caller: Caller, name: str) -> bool:
        """Remove one; False where there was none."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed value, with who may use it."""

    value: bytes
    grant: Grant


class SealedSecrets(Protocol):
    """Secrets as executors read them."""

    async def read(self, names: Collection[str]) -> Mapping[str, Sealed]:
        """Return those that there are.

        Raises:
            UnreachableError: The store stayed away for too long.
        """


@dataclass(frozen=True, slots=True)
class SecretValues:
    """What a command's secrets are.

    Attributes:
        values: The values by name, in the clear.
        problems: Why a name has no value, by name.
        grants: Who may use those that have one, by name.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    problems: Mapping[str, str] = field(default_factory=dict)
    grants: Mapping[str, Grant] = field(default_factory=dict)


class Secrets(Protocol):
    """What gives executors the secrets that a command's action names."""

    async def get(self, names: Collection[str]) -> SecretValues:
        """Return each name's value or problem; at most a few seconds old.

        Raises:
            UnreachableError: The store stayed away for too long.
        """


@dataclass(frozen=True, slots=True)
class SecretUse:
    """That a workflow was given a secret."""

    secret: str
    use: Use


class SecretUseStore(Protocol):
    """Where uses of secrets are kept, for administrators to see."""

    async def add(self, uses: Sequence[SecretUse]) -> None:
        """Keep uses; one that is there for this hour stays as it is.

        Raises:
            UnreachableError: The store stayed away for too long.
        """


class SecretUseNotes(Protocol):
    """What is told that a step was given secrets; it must cost the step nothing."""

    def note(self, names: Collection[str], use: Use) -> None:
        """Note that a workflow was given the secrets of these names."""


class SecretGrants(Protocol):
    """What tells dry runs who may use secrets, or channels, without a value."""

    async def of(self, names: Collection[str]) -> Mapping[str, Grant]:
        """Return the grants of those that there are.

        Raises:
            UnreachableError: The store does not answer.
        """
