"""Who calls: the identity that use cases act for and that Postgres's row level security judges."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

Role = Literal["user", "admin"]


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller whose token was checked."""

    user_id: UUID
    role: Role

    @property
    def claims(self) -> dict[str, Any]:
        """What row level security reads, in the shape of a Supabase JWT; nothing in it is as the caller sent it."""
        return {"sub": str(self.user_id), "role": "authenticated", "app_metadata": {"role": self.role}}
