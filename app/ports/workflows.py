"""Workflows: where they are kept, and what is asked of them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import FieldError
from app.domain.grants import Use, not_granted
from app.domain.paging import NamePosition, Position
from schemas.message_template import MessageKind
from schemas.workflow import Workflow

WorkflowSort = Literal[
    "-created_at", "created_at", "-updated_at", "updated_at", "name", "-name", "-last_run_at", "last_run_at"
]
# When a workflow that never ran is taken to have run last.
NEVER: Final = datetime(1, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reference:
    """Something named.

    Attributes:
        path: Where, as in ``actions[1].config.template``.
        kind: A message template's kind, a channel or a secret.
        place: Where a secret is sent, as far as that is known before anything is rendered.
        astray: It may not be sent there.
        absent: A secret that is not there at all.
    """

    path: str
    kind: MessageKind | Literal["channel", "secret"]
    name: str
    place: str | None = None
    astray: bool = False
    absent: bool = False

    @property
    def missing(self) -> FieldError:
        """What to say where it is not there, or not for the workflow, or not for the place it is sent to."""
        if self.astray:
            where = f"secrets.{self.name} may not be sent to the host of url"
            return FieldError(self.path, f"{where}; an administrator can name it there")
        if self.absent:
            return FieldError(self.path, f"secrets.{self.name} is not set; an administrator can store it")
        if self.kind == "secret":
            return FieldError(self.path, not_granted(self.name))
        what = (
            "channel for this workflow" if self.kind == "channel" else f"{self.kind} template of the workflow's owner"
        )
        return FieldError(self.path, f"there is no {what} named {self.name!r}")


@dataclass(frozen=True, slots=True)
class WorkflowFilter:
    """Which workflows to list, in which order; None does not filter.

    Attributes:
        search: Words in name or description.
        owner: Whose.
        draft: Whether they have one.
        deleted: Those that are deleted, instead of those that are not.
        sort: What they are ordered by, the other way round with a minus; those that never ran are the oldest.
    """

    active: bool | None = None
    trigger_type: str | None = None
    search: str | None = None
    owner: UUID | None = None
    draft: bool | None = None
    deleted: bool = False
    sort: WorkflowSort = "-created_at"


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """A draft as it is kept.

    Attributes:
        body: What was written, right or not.
        based_on: The version of the workflow that it was begun from.
        changes: In how many places it differs from that version.
        version: Its own number; every write makes the next one, and one that was discarded is counted on from.
    """

    body: dict[str, Any]
    based_on: int
    changes: int
    version: int
    saved_by: UUID
    saved_at: datetime


class Transaction(Protocol):
    """One transaction on workflows, on a caller's behalf: what the caller may not see is not there."""

    async def get(self, workflow_id: UUID, *, deleted: bool = False) -> Workflow | None:
        """Return a workflow that is not deleted, or one that is, locked until the transaction ends."""

    async def insert(self, workflow: Workflow) -> Workflow:
        """Store a new workflow with its revision, announce it, and return it with the store's times."""

    async def update(self, workflow: Workflow, *, deleted: bool) -> Workflow:
        """Store a workflow's new version with its revision, announce it, and return it with the store's time."""

    async def restore(self, workflow_id: UUID) -> Workflow:
        """Bring a deleted workflow back as it was, switched off, as a new version with its revision."""

    async def revision(self, workflow_id: UUID, version: int) -> dict[str, Any] | None:
        """Return one revision."""

    async def draft(self, workflow_id: UUID) -> StoredDraft | None:
        """Return a workflow's draft."""

    async def save_draft(self, workflow_id: UUID, body: dict[str, Any], based_on: int, changes: int) -> StoredDraft:
        """Store a workflow's draft over the one before."""

    async def discard_draft(self, workflow_id: UUID) -> None:
        """Let a workflow's draft go; its number is not given again."""

    async def missing(self, use: Use, named: Sequence[Reference], *, live: bool) -> Sequence[Reference]:
        """Return those of the named things that are not there, or not for the workflow.

        A secret that is not there is one of them only for a workflow that is to go live: else it may come yet.
        """

    async def owned(self, owner: UUID, trigger_type: str | None) -> int:
        """Count an owner's workflows, or the active ones of a trigger type; until the transaction ends no other may."""

    async def count_use(self, template_id: UUID) -> None:
        """Count that a template has been applied; it may be another user's."""


class WorkflowStore(Protocol):
    """Where workflows are kept."""

    def transaction(self, caller: Caller) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction: it commits at the end of the block, and not at all where the block raises."""

    async def get(self, caller: Caller, workflow_id: UUID) -> Workflow | None:
        """Return a workflow that is not deleted."""

    async def find(
        self, caller: Caller, wanted: WorkflowFilter, after: Position | NamePosition | None, limit: int
    ) -> Sequence[Workflow]:
        """Return at most ``limit`` workflows, in the order that is wanted, from after a position in it on."""

    async def revisions(
        self, caller: Caller, workflow_id: UUID, before: int | None, limit: int
    ) -> Sequence[dict[str, Any]]:
        """Return at most ``limit`` revisions with versions under ``before``, newest first, deleted workflows' too."""

    async def revision(self, caller: Caller, workflow_id: UUID, version: int) -> dict[str, Any] | None:
        """Return one revision, a deleted workflow's too."""

    async def draft(self, caller: Caller, workflow_id: UUID) -> StoredDraft | None:
        """Return the draft of a workflow that is not deleted."""


class Workflows(Protocol):
    """Workflows by id; ``app.services.workflows.lifecycle.WorkflowService`` is one."""

    async def get(self, caller: Caller, workflow_id: UUID) -> Workflow:
        """Return one.

        Raises:
            NotFoundError: The caller may see no such workflow.
        """


class StoredVersions(Protocol):
    """What Postgres holds of workflows."""

    async def versions(self) -> Mapping[UUID, int]:
        """Newest version of each workflow, deleted ones too until their tombstone was sent.

        Raises:
            UnreachableError: Postgres does not answer.
        """

    async def send_again(self, workflow_ids: Sequence[UUID]) -> None:
        """Put the newest revision of these workflows in the outbox again.

        Raises:
            UnreachableError: Postgres does not answer.
        """


class ConfigCheck(Protocol):
    """Checks an action's config against its type's model."""

    def __call__(self, action_type: str, config: dict[str, Any], path: str) -> list[FieldError]:
        """Return what is wrong with it; paths begin with ``path``."""
