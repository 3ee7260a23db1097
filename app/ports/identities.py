"""Who users are at an OpenID issuer."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.domain.callers import Role


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom an issuer vouches for.

    Attributes:
        subject: Their ``sub``, by which they are known from the first sign-in on.
        email: As the issuer has verified it; None where it has not.
        role: The role that their claims stand for; None where that is not the issuer's to say.
    """

    issuer: str
    subject: str
    email: str | None
    name: str
    role: Role | None


class IdentityStore(Protocol):
    """Finds and makes users by who they are at an issuer."""

    async def signed_in(self, identity: Identity, *, create: bool) -> UUID | None:
        """Return the user of an identity, with the role that it stands for; None where there is none to be let in.

        Args:
            identity: Who they are.
            create: Make a user of whom there is none.
        """
