"""What the API takes and gives around drafts and revisions of workflows."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.admin.queries import Limit, Query
from schemas.problem import ProblemError
from schemas.workflow import Name, RecordedRevision


class ChangeQuery(Query):
    """Whether a change of an active workflow takes effect at once, past its draft."""

    publish: Annotated[bool, Field(description="Of an active workflow: at once, instead of making its draft")] = False


class PublishQuery(Query):
    """Whether a draft is published over what has been published since it was begun."""

    overwrite: Annotated[bool, Field(description="Also where what is live has changed since the draft was begun")] = (
        False
    )


class CopyName(Query):
    """What a copy is called; left out: "Copy of" what is copied."""

    name: Name | None = None


class DraftBody(BaseModel):
    """A workflow as far as it is written: any object is kept, and what is wrong of it is listed in the answer."""

    model_config = ConfigDict(extra="allow")


class RevisionQuery(Query):
    """Which revisions to list: those with versions under ``before``."""

    before: Annotated[int | None, Field(ge=1, le=2**31 - 1)] = None
    limit: Limit = 50


class RevisionView(RecordedRevision):
    """A revision as history: with who wrote it.

    Attributes:
        unreadable: What cannot be read of it, and is left out here.
    """

    written_by: UUID
    unreadable: list[ProblemError] = Field(default_factory=list)


class RevisionPage(BaseModel):
    """Revisions, newest first; the next page is that before the last one's version."""

    items: list[RevisionView]


Side = Annotated[
    str,
    Field(pattern=r"^(live|draft|[1-9][0-9]{0,9})$", description="A version's number, `live`, or `draft`"),
]


class DiffQuery(Query):
    """Which two states to compare."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    before: Annotated[Side, Field(alias="from")] = "live"
    after: Annotated[Side, Field(alias="to")] = "draft"


class ChangeView(BaseModel):
    """One difference: applied in order, the changes make the one of the other.

    Attributes:
        path: Where, as errors name it; an addition's position is that in the new list, any other's in the old one.
    """

    kind: Literal["added", "removed", "changed"]
    path: str
    before: Any = None
    after: Any = None


class DiffView(BaseModel):
    """What differs between two states of a workflow, as data and in words."""

    workflow_id: UUID
    before: str
    after: str
    changes: list[ChangeView]
    words: list[str]
