"""The two worlds that the receipts' contract tests run in: memory, and Postgres; both with many processes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

from app.adapters.postgres.pool import Pool
from app.adapters.postgres.receipts import PostgresReceipts
from app.ports import Claim, EffectTransaction, Park, Receipts, Record, TagRequest, Timer, TransactionalEffect
from tests.support.crm import crm_over
from tests.support.receipts import MemoryReceipts, ReceiptStore

LEASE: Final = timedelta(seconds=30)
MATCHED: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class World(Protocol):
    """Processes over one store of receipts."""

    async def process(self, instance: str) -> Receipts:
        """Start a process of an instance."""

    async def expire(self) -> None:
        """Let every lease that is held run out."""

    async def tags(self) -> set[tuple[str, str]]:
        """Tags that effects have put on customers."""

    async def timers(self) -> dict[UUID, str]:
        """The topic of each timer's record, by command."""


class MemoryWorld:
    """A world in memory."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._store = ReceiptStore(clock=lambda: self._now)

    async def process(self, instance: str) -> Receipts:
        """Start a process of an instance."""
        receipts = MemoryReceipts(self._store, instance, LEASE)
        await receipts.start()
        return receipts

    async def expire(self) -> None:
        """Move the clock past every lease."""
        self._now += LEASE.total_seconds() + 1

    async def tags(self) -> set[tuple[str, str]]:
        """Tags that effects have put on customers."""
        return set(self._store.crm.tags)

    async def timers(self) -> dict[UUID, str]:
        """The topic of each timer's record, by command."""
        return {command_id: timer.record.topic for command_id, timer in self._store.timers.set_timers.items()}


class PostgresWorld:
    """A world in Postgres; what tells processes apart is not their connections, so they share a pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def process(self, instance: str) -> Receipts:
        """Start a process of an instance."""
        receipts = PostgresReceipts(self._pool, instance, LEASE, crm_over)
        await receipts.start()
        return receipts

    async def expire(self) -> None:
        """Date every lease back."""
        await self._execute("UPDATE receipts SET lease_until = now() - interval '1 ms' WHERE state = 1")

    async def tags(self) -> set[tuple[str, str]]:
        """Tags that effects have put on customers."""
        return set(await self._execute("SELECT customer_id, tag FROM crm.tags"))

    async def timers(self) -> dict[UUID, str]:
        """The topic of each timer's record, by command."""
        return dict(await self._execute("SELECT command_id, topic FROM timers"))

    async def _execute(self, statement: str) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(statement.encode())
            return await cursor.fetchall() if cursor.description else []


def a_claim(**changes: Any) -> Claim:
    """Return the claim of a new execution's first step; ``changes`` replace fields."""
    fields: dict[str, Any] = {
        "command_id": uuid4(),
        "execution_id": uuid4(),
        "version": 1,
        "attempt": 1,
        "matched_at": MATCHED,
        "first": True,
    }
    return Claim(**(fields | changes))


def tagging(claims: Sequence[Claim], calls: list[list[UUID]] | None = None) -> TransactionalEffect:
    """Return an effect that tags a customer named after each command; ``calls`` notes the commands of each call."""

    async def effect(own: EffectTransaction, indexes: Sequence[int]) -> dict[int, dict[str, Any]]:
        ids = [claims[index].command_id for index in indexes]
        if calls is not None:
            calls.append(ids)
        applied = await own.crm.apply_tags([TagRequest(str(command_id), "vip") for command_id in ids])
        return {index: {"applied": new} for index, new in zip(indexes, applied, strict=True)}

    return effect


def a_park(claim: Claim, *, parked: int = 1, topic: str = "t.again", uncertain: bool = False) -> Park:
    """Return what lets a claimed command wait for an hour."""
    timer = Timer(
        command_id=claim.command_id,
        execution_id=claim.execution_id,
        workflow_id=UUID(int=1),
        entity="c-1",
        step=0,
        kind="retry",
        reason="answered 429",
        due=datetime.now(UTC) + timedelta(hours=1),
        record=Record(topic, b"c-1", b"{}"),
    )
    return Park(timer, parked, uncertain)
