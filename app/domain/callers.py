"""Who calls, and what they may do: what use cases act for and what Postgres's row level security judges.

Beside the roles user and admin there are permissions (docs/design.md#10-trust). An administrator has them all.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args
from uuid import UUID

Role = Literal["user", "admin"]
Permission = Literal["events:write", "crm:read", "crm:write", "templates:publish", "messages:any", "operate"]

# Whoever is not known: no user has this id.
NOBODY: Final = UUID(int=0)
PERMISSIONS: Final[frozenset[Permission]] = frozenset(get_args(Permission))


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller whose token was checked.

    Attributes:
        permissions: What a user may do beside what every user may; an administrator needs none.
        is_key: A service's API key, a principal of its own: it has exactly its permissions, and owns nothing.
    """

    user_id: UUID
    role: Role
    permissions: frozenset[Permission] = frozenset()
    is_key: bool = False

    def may(self, permission: Permission) -> bool:
        """Tell whether the caller has a permission."""
        return self.role == "admin" or permission in self.permissions

    def within(self, role: Role, permissions: frozenset[Permission]) -> "Caller":
        """Return the caller with no more than what these give too: an administrator has every permission."""
        if role == "admin":
            return self
        both = permissions if self.role == "admin" else self.permissions & permissions
        return replace(self, role=role, permissions=both)

    @property
    def claims(self) -> dict[str, Any]:
        """What row level security reads, in the shape of a Supabase JWT; nothing in it is as the caller sent it."""
        metadata = {"role": self.role, "permissions": sorted(self.permissions)}
        return {"sub": str(self.user_id), "role": "authenticated", "app_metadata": metadata}


def known_permissions(names: Iterable[object]) -> frozenset[Permission]:
    """Return those of the names that are permissions of ours: a claim may name others', which grant nothing here."""
    given = {name for name in names if isinstance(name, str)}
    return frozenset(permission for permission in PERMISSIONS if permission in given)


def read_permissions(text: str) -> frozenset[Permission]:
    """Read a setting: permissions with commas between, ``all``, or ``none``.

    Raises:
        ValueError: A name is no permission; the text lists those that are.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if names == ["all"]:
        return PERMISSIONS
    if names == ["none"]:
        return frozenset()
    _refuse_unknown(names)
    return known_permissions(names)


def _refuse_unknown(names: Collection[str]) -> None:
    unknown = sorted(set(names) - PERMISSIONS)
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no permission; there are {', '.join(sorted(PERMISSIONS))}, or all or none")
