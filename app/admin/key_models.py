"""What the API takes and gives about API keys."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from app.admin.queries import Query as _Query
from app.domain.api_keys import permission_problem, permissions_problem
from app.domain.user_fields import name_problem
from schemas.moments import Moment
from schemas.reading import refused_by


class ApiKeyDraft(_Query):
    """A key that is to be made: a name, what it may do, and perhaps until when."""

    name: Annotated[str, refused_by(name_problem)]
    permissions: Annotated[list[Annotated[str, refused_by(permission_problem)]], refused_by(permissions_problem)]
    expires_at: Moment | None = None


class KeyRotation(_Query):
    """For how long the old key holds beside the new one, so that its service can take that up."""

    overlap_s: Annotated[int, Field(ge=0, le=2_592_000, description="Seconds; at most 30 days")] = 86_400


class ApiKeyView(BaseModel):
    """What may be seen of an API key; ``id`` is the principal that it calls as."""

    id: UUID
    name: str
    permissions: list[str]
    created_by: UUID
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None
    last_used: AwareDatetime | None
    replaced_by: UUID | None


class ApiKeyMade(ApiKeyView):
    """A key just made; nothing answers ``key`` again."""

    key: str


class ApiKeyList(BaseModel):
    """API keys, newest first."""

    items: list[ApiKeyView]
