"""Retries: the transaction that begins an execution's next attempt."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.ports.audit import Noted
from app.ports.kafka import Record
from schemas.result import ActionResult
from schemas.workflow import Revision


@dataclass(frozen=True, slots=True)
class Logged:
    """A finished execution as the log has it, with its workflow: the revision it ran on, and whether it is active."""

    execution_id: UUID
    attempt: int
    status: str
    entity: str
    event: dict[str, Any]
    verdicts: list[dict[str, Any]]
    results: list[ActionResult]
    executed_at: datetime
    active: bool
    revision: Revision


class RetryTransaction(Protocol):
    """One transaction, on a caller's behalf."""

    async def find(self, execution_id: UUID) -> Logged | None:
        """Return an execution of a workflow the caller may see."""

    async def take(self, logged: Logged) -> bool:
        """Make the next attempt the execution's own; False where it has been done already."""

    async def send(self, record: Record) -> None:
        """Put a record into the outbox."""

    async def note(self, noted: Noted) -> None:
        """Put a line on the audit trail."""


class RetryStore(Protocol):
    """Where executions and the outbox are."""

    def transaction(self, caller: Caller) -> AbstractAsyncContextManager[RetryTransaction]:
        """Open a transaction: it commits at the end of the block, and not at all where the block raises."""
