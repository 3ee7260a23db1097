"""Temporal triggers: where due times and audiences are kept."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.ports.kafka import Record


@dataclass(frozen=True, slots=True)
class Release:
    """An audience on its way: customers up to ``after`` have been looked at.

    Attributes:
        nonce: The workflow's nonce when the release began.
    """

    workflow_id: UUID
    trigger_type: str
    due: datetime
    conditions: Sequence[Mapping[str, Any]]
    after: str
    nonce: UUID


@dataclass(frozen=True, slots=True)
class Owned:
    """Whose a workflow is, with what their token granted when they last called, and its version of now."""

    owner: Caller
    version: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A temporal workflow and when it is due.

    Attributes:
        due: None where it was not computed yet.
        nonce: What the ids of its events are made with; only our database holds it.
    """

    workflow_id: UUID
    trigger_type: str
    config: Mapping[str, Any]
    due: datetime | None
    nonce: UUID


class TemporalTransaction(Protocol):
    """Due times and audiences in one transaction; what is returned is locked, and what others have locked is not."""

    async def changed(self, limit: int) -> Sequence[Planned]:
        """Active temporal workflows without a due time, or with one of another trigger; forgets those that ended."""

    async def due(self, now: datetime, limit: int) -> Sequence[Planned]:
        """Workflows whose due time has come by ``now``; by a later clock the latest due would be the run before."""

    async def plan(self, workflow: Planned, due: datetime) -> None:
        """Set the due time of a workflow whose trigger changed; one that another scheduler has set meanwhile stays."""

    async def move(self, workflow: Planned, due: datetime) -> None:
        """Set the next due time of a workflow that was due."""

    async def open_audience(self, release: Release) -> bool:
        """Begin to release an audience; False where it was begun before."""

    async def audiences(self, limit: int) -> Sequence[Release]:
        """Audiences whose next share may be released."""

    async def owner(self, workflow_id: UUID) -> Owned | None:
        """Whose a workflow is, and what they may; None where it is gone."""

    async def customers(self, after: str, limit: int) -> Sequence[dict[str, Any]]:
        """Customers of the CRM by id after one, as events show them."""

    async def advance(self, release: Release, after: str | None, pause_s: float) -> None:
        """Note up to where an audience was looked at; None: to its end."""

    async def emit(self, events: Sequence[Record]) -> None:
        """Put events into the outbox."""

    def apart(self) -> AbstractAsyncContextManager[None]:
        """Keep a part of it apart: where the block raises, what it did is undone, and the transaction goes on.

        Raises:
            UnreachableError: Postgres does not answer.
        """


class TemporalStore(Protocol):
    """Where they are kept."""

    def transaction(self) -> AbstractAsyncContextManager[TemporalTransaction]:
        """Open a transaction; it commits at the end of the block, and not at all where the block raises.

        Raises:
            UnreachableError: Postgres does not answer.
        """

    async def now(self) -> datetime:
        """The time, by Postgres's clock, which all schedulers share."""

    async def pending(self, now: datetime) -> bool:
        """Whether there is anything to plan, forget, fire by ``now`` or release; it costs a fraction of the looking."""
