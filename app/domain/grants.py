"""Who may use what an administrator set up, a secret or a channel: whose workflows, which ones, for which hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.domain.errors import FieldError
from app.domain.hosts import host_problem, may_go_to

ALL: Final = "*"
MAX_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class Use:
    """Which workflow uses something, and whose it is."""

    owner: UUID
    workflow: UUID


@dataclass(frozen=True, slots=True)
class Grant:
    """Lists of which each must let a use through; ``*`` lets all through, an empty one nothing.

    Attributes:
        owners: Ids of users whose workflows may use it.
        workflows: Ids of the workflows that may.
        hosts: Where a secret may be sent; empty in a channel's grant.
    """

    owners: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def lets(self, use: Use) -> bool:
        """Tell whether a workflow may use it."""
        return _holds(self.owners, use.owner) and _holds(self.workflows, use.workflow)

    @property
    def anywhere(self) -> bool:
        """Whether it may go to every host."""
        return ALL in self.hosts


EVERYBODY: Final = Grant((ALL,), (ALL,), (ALL,))
NOBODY: Final = Grant()


def not_granted(secret: str) -> str:
    """Return what to say of a secret that is not for a workflow."""
    return f"secrets.{secret} is not for this workflow or its owner; an administrator can grant it"


def refused_host(url: str, hosts: Mapping[str, Sequence[str]]) -> str | None:
    """Return the first name whose hosts a URL is not on; None where all let it through."""
    return next((name for name, allowed in sorted(hosts.items()) if not may_go_to(url, allowed)), None)


def grant_errors(grant: Grant) -> list[FieldError]:
    """Return what is wrong in a grant as it was written, by field."""
    errors: list[FieldError] = []
    for field, listed in (("owners", grant.owners), ("workflows", grant.workflows), ("hosts", grant.hosts)):
        too_many = many_problem(listed)
        if too_many:
            errors.append(FieldError(field, too_many))
        for position, one in enumerate(listed[:MAX_LISTED]):
            problem = granted_host_problem(one) if field == "hosts" else granted_id_problem(one)
            if problem:
                errors.append(FieldError(f"{field}[{position}]", problem))
    return errors


def many_problem(listed: Sequence[str]) -> str | None:
    """Say that a list has too many members; None: it has not."""
    return f"has {len(listed)} members; at most {MAX_LISTED} are allowed" if len(listed) > MAX_LISTED else None


def granted_host_problem(written: str) -> str | None:
    """Say what is wrong with a host in a grant; None: nothing is."""
    return None if written == ALL else host_problem(written)


def granted_id_problem(written: str) -> str | None:
    """Say what is wrong with a user's or workflow's id in a grant; None: nothing is."""
    try:
        plain = written == ALL or str(UUID(written)) == written
    except ValueError:
        plain = False
    return None if plain else "must be an id in small letters, or * for all"


def _holds(listed: Sequence[str], wanted: UUID) -> bool:
    return ALL in listed or str(wanted) in listed
