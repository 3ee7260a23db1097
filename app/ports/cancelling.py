"""Cancelling: the transaction that ends executions that wait."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.ports.audit import Noted
from app.ports.kafka import Record


@dataclass(frozen=True, slots=True)
class Copy:
    """The command that was to come: its id, its execution's, and how often it had been parked."""

    command_id: UUID
    execution_id: UUID
    parked: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The end of a cancelled execution: its record for the log, and the copy that must not run; None for none."""

    record: Record
    copy: Copy | None


class CancellingTransaction(Protocol):
    """One transaction, on a caller's behalf."""

    async def find(self, execution_id: UUID | None, workflow_id: UUID | None, limit: int) -> Sequence[UUID]:
        """Return the command ids of timers of an execution or a workflow, as far as the caller may see them."""

    async def take(self, command_ids: Sequence[UUID]) -> Sequence[Record]:
        """Delete timers and return their records; those that have fired meanwhile are not among them."""

    async def forbid(self, copies: Sequence[Copy]) -> Sequence[UUID]:
        """Let copies run no more; returns the command ids of those that have begun to."""

    async def send(self, records: Sequence[Record]) -> None:
        """Put records into the outbox."""

    async def note(self, noted: Noted) -> None:
        """Put a line on the audit trail."""


class CancellingStore(Protocol):
    """Where what waits is kept."""

    def transaction(self, caller: Caller) -> AbstractAsyncContextManager[CancellingTransaction]:
        """Open a transaction: it commits at the end of the block, and not at all where the block raises."""
