"""Receipts in memory, for tests of what uses them; they pass the same contract tests as those in Postgres."""

import asyncio
import copy
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from app.domain.errors import SupersededError
from app.ports import Busy, Claim, Claimed, ClaimOutcome, Done, Dropped, EffectTransaction, Park, TransactionalEffect
from tests.support.fake_crm import FakeCrm
from tests.support.memory_texts import MemoryTexts
from tests.support.timers import FakeTimers

_SOONEST_S = 0.05
_LATEST_S = 1.0


@dataclass
class _Receipt:
    owner: tuple[str, int] = ("", 0)
    leased_until: float | None = None
    parked: int = 0
    uncertain: bool = False
    result: dict[str, Any] | None = None


@dataclass
class _Execution:
    version: int
    matched_at: datetime
    attempt: int


@dataclass
class ReceiptStore:
    """What the processes share: the database, so to speak.

    Attributes:
        crm: What effects change.
        timers: What was set to go off.
        texts: Message templates.
        clock: Seconds; leases are measured by it.
    """

    crm: FakeCrm = field(default_factory=FakeCrm)
    timers: FakeTimers = field(default_factory=FakeTimers)
    texts: MemoryTexts = field(default_factory=MemoryTexts)
    clock: Callable[[], float] = time.monotonic
    receipts: dict[UUID, _Receipt] = field(default_factory=dict)
    executions: dict[UUID, _Execution] = field(default_factory=dict)
    instances: dict[str, int] = field(default_factory=dict)
    incarnations: "count[int]" = field(default_factory=lambda: count(1))
    transaction: asyncio.Lock = field(default_factory=asyncio.Lock)


class MemoryReceipts:
    """See :class:`app.ports.Receipts`; several over one store are several processes.

    Attributes:
        refused: Claims that were answered with a stranger's live lease.
    """

    def __init__(self, store: ReceiptStore, instance: str, lease: timedelta) -> None:
        self._store = store
        self._instance = instance
        self._lease = lease.total_seconds()
        self._incarnation = 0
        self._held: dict[UUID, float] = {}
        self.refused = 0

    async def start(self) -> None:
        """Become the newest incarnation of the instance."""
        self._incarnation = self._store.instances[self._instance] = next(self._store.incarnations)

    async def claim(self, claims: Sequence[Claim]) -> list[ClaimOutcome]:
        """Claim; see :class:`app.ports.Receipts`."""
        self._check_newest()
        outcomes: list[ClaimOutcome] = [Busy(_SOONEST_S)] * len(claims)
        asked: dict[UUID, int] = {}
        for position, claim in enumerate(claims):
            if self._held.get(claim.command_id, 0.0) <= self._store.clock():
                asked.setdefault(claim.command_id, position)
        positions = list(asked.values())
        dropped = self._admit([claims[position] for position in positions])
        for index, position in enumerate(positions):
            outcomes[position] = dropped.get(index) or self._claim(claims[position])
        self.refused += sum(isinstance(outcomes[position], Busy) for position in positions)
        return outcomes

    async def finish(self, results: Sequence[tuple[UUID, dict[str, Any]]]) -> list[dict[str, Any] | None]:
        """Store results; see :class:`app.ports.Receipts`."""
        counting: list[dict[str, Any] | None] = []
        for command_id, result in results:
            receipt = self._mine(command_id)
            if receipt is not None:
                receipt.result, receipt.leased_until = _storable(result), None
            known = self._store.receipts.get(command_id)
            counting.append(None if known is None else copy.deepcopy(known.result))
            self._held.pop(command_id, None)
        return counting

    async def release(self, command_ids: Sequence[UUID], *, uncertain: bool) -> None:
        """Give claims back; see :class:`app.ports.Receipts`."""
        for command_id in command_ids:
            receipt = self._mine(command_id)
            if receipt is not None:
                receipt.leased_until = None
                receipt.uncertain |= uncertain
            self._held.pop(command_id, None)

    async def park(self, parks: Sequence[Park]) -> None:
        """Let claimed commands wait; see :class:`app.ports.Receipts`."""
        for park in parks:
            command_id = park.timer.command_id
            receipt = self._mine(command_id)
            if receipt is not None:
                receipt.leased_until, receipt.parked = None, park.parked
                receipt.uncertain |= park.uncertain
                await self._store.timers.set([park.timer])
            self._held.pop(command_id, None)

    async def apply(self, claims: Sequence[Claim], effect: TransactionalEffect) -> list[ClaimOutcome]:
        """Carry out effects; see :class:`app.ports.Receipts`."""
        self._check_newest()
        async with self._store.transaction:
            outcomes = self._admit(claims, keep=False)
            todo: dict[UUID, int] = {}
            for position, claim in enumerate(claims):
                known = outcomes.get(position) or self._known(claim)
                if known is not None:
                    outcomes[position] = known
                else:
                    todo.setdefault(claim.command_id, position)
            staged = copy.deepcopy(self._store.crm)
            timers = FakeTimers()
            results = await effect(EffectTransaction(staged, timers), list(todo.values())) if todo else {}
            self._store.crm.__dict__.update(staged.__dict__)
            await self._store.timers.set(list(timers.set_timers.values()))
            self._admit(claims)
            for command_id, position in todo.items():
                receipt = self._store.receipts.setdefault(command_id, _Receipt())
                receipt.result, receipt.leased_until = _storable(results[position]), None
        return [outcomes.get(position) or self._done(claim) for position, claim in enumerate(claims)]

    # -- rules

    def _check_newest(self) -> None:
        if self._store.instances.get(self._instance) != self._incarnation:
            raise SupersededError(f"a newer process of {self._instance} runs")

    def _admit(self, claims: Sequence[Claim], *, keep: bool = True) -> dict[int, ClaimOutcome]:
        """Drop first claims of another version or a lower attempt; the others fix their execution's."""
        executions = self._store.executions if keep else copy.deepcopy(self._store.executions)
        # Of those that come at the same time the highest attempt is taken for the first writer.
        for claim in sorted(claims, key=lambda claim: -claim.attempt):
            if claim.first:
                fresh = _Execution(claim.version, claim.matched_at, claim.attempt)
                known = executions.setdefault(claim.execution_id, fresh)
                if claim.attempt > known.attempt:
                    known.version, known.attempt = claim.version, claim.attempt
        dropped: dict[int, ClaimOutcome] = {}
        for position, claim in enumerate(claims):
            if claim.first and claim.attempt < executions[claim.execution_id].attempt:
                dropped[position] = Dropped("attempt")
            elif claim.first and claim.version != executions[claim.execution_id].version:
                dropped[position] = Dropped("version")
        return dropped

    def _known(self, claim: Claim) -> ClaimOutcome | None:
        receipt = self._store.receipts.get(claim.command_id)
        if receipt is None:
            return None
        if receipt.result is not None:
            return self._done(claim)
        return Dropped("parked") if claim.parked < receipt.parked else None

    def _done(self, claim: Claim) -> Done:
        result = self._store.receipts[claim.command_id].result
        assert result is not None
        return Done(self._matched_at(claim), copy.deepcopy(result))

    def _claim(self, claim: Claim) -> ClaimOutcome:
        known = self._known(claim)
        if known is not None:
            return known
        now = self._store.clock()
        receipt = self._store.receipts.setdefault(claim.command_id, _Receipt())
        left = -1.0 if receipt.leased_until is None else receipt.leased_until - now
        if left >= 0 and receipt.owner[0] != self._instance:
            return Busy(min(max(left, _SOONEST_S), _LATEST_S))
        receipt.uncertain |= receipt.leased_until is not None
        receipt.owner, receipt.leased_until = (self._instance, self._incarnation), now + self._lease
        receipt.parked = claim.parked
        self._held[claim.command_id] = receipt.leased_until
        return Claimed(self._matched_at(claim), receipt.uncertain)

    def _matched_at(self, claim: Claim) -> datetime:
        return self._store.executions[claim.execution_id].matched_at if claim.first else claim.matched_at

    def _mine(self, command_id: UUID) -> _Receipt | None:
        receipt = self._store.receipts.get(command_id)
        if receipt is None or receipt.result is not None or receipt.leased_until is None:
            return None
        return receipt if receipt.owner == (self._instance, self._incarnation) else None


def _storable(value: Any) -> Any:
    # What Postgres makes of it: a copy without NUL characters.
    return json.loads(json.dumps(value).replace("\\u0000", "\\ufffd"))
