"""What the API takes and gives about users."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from app.admin.queries import Cursor, Limit, Text
from app.admin.queries import Query as _Query
from app.domain.callers import Role
from app.domain.passwords import MAX_LENGTH
from app.domain.user_fields import email_problem, name_problem, permission_problem
from app.ports.users import User
from schemas.reading import refused_by

Password = Annotated[str, Field(max_length=MAX_LENGTH)]
Email = Annotated[str, refused_by(email_problem)]
PersonName = Annotated[str, refused_by(name_problem)]
Granted = Annotated[str, refused_by(permission_problem)]


class UserDraft(_Query):
    """A user who is to be made."""

    email: Email
    name: PersonName
    role: Role = "user"
    permissions: list[Granted] = Field(default_factory=list)


class UserPatch(_Query):
    """What is to be changed of a user; what is not named stays."""

    email: Email = ""
    name: PersonName = ""
    role: Role = "user"
    permissions: list[Granted] = Field(default_factory=list)
    disabled: bool = False


class UserView(BaseModel):
    """A user; ``id`` is the ``sub`` of tokens of theirs, and the owner of what they make."""

    id: UUID
    email: str
    name: str
    role: Role
    permissions: list[str]
    disabled_at: AwareDatetime | None
    has_password: bool
    signed_in_at: AwareDatetime | None
    version: int
    created_at: AwareDatetime


class UserMade(UserView):
    """A user just made, and the token that signs them in once (``POST /session/link``); nothing answers it again."""

    link_token: str


class UserPage(BaseModel):
    """A page of users, newest first."""

    items: list[UserView]
    next_cursor: str | None


class UserQuery(_Query):
    """Which users to list; ``search`` looks into e-mail and name."""

    search: Text = None
    role: Role | None = None
    disabled: bool | None = None
    limit: Limit = 50
    cursor: Cursor = None


class PasswordChange(_Query):
    """A new password; who changes their own says the one they have."""

    password: Password
    current_password: Password | None = None


class Credentials(_Query):
    """What signs a user in."""

    email: Annotated[str, Field(max_length=320)]
    password: Password


class LinkToken(_Query):
    """A link's token."""

    token: Annotated[str, Field(max_length=100)]


def view(user: User) -> UserView:
    """Show a user."""
    return UserView(**fields(user))


def fields(user: User) -> dict[str, object]:
    """Return what is shown of a user."""
    return {
        **{name: getattr(user, name) for name in UserView.model_fields},
        "permissions": sorted(user.permissions),
    }
