"""What the API takes and gives about API keys."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from app.admin.queries import Query as _Query


class ApiKeyDraft(_Query):
    """A key that is to be made: a name, what it may do, and perhaps until when."""

    name: str
    permissions: list[str]
    expires_at: AwareDatetime | None = None


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


class ApiKeyMade(ApiKeyView):
    """A key just made; nothing answers ``key`` again."""

    key: str


class ApiKeyList(BaseModel):
    """API keys, newest first."""

    items: list[ApiKeyView]
