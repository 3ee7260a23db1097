"""Bugs that are planted, to see that they are found: each replaces a part of a process by one that breaks a rule."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.adapters.kafka.local_broker import LocalRecord
from app.domain.breaker import BreakerState
from app.ports import (
    Busy,
    Claim,
    Claimed,
    ClaimOutcome,
    Entries,
    HttpAnswer,
    HttpRequest,
    Record,
    Refusal,
    TransactionalEffect,
    Transition,
)
from app.ports.due_timers import DueTimer
from app.ports.outbox import Bounds
from tests.simulation.kafka import SimSender, SimWorker
from tests.simulation.outside import SimBreakers, SimEntries, SimHttp, SimReceipts, SimTimers
from tests.simulation.process import Process
from tests.simulation.roles import TOPICS, Parts
from tests.support.entries import MemoryEntries

_AGAIN_S: Final = 20.0


class _PastAHole(SimWorker):
    """Commits past whatever was finished last, also where records before it are not."""

    def done(self, record: LocalRecord) -> None:
        super().done(record)
        self.finished[record.place] = max(record.offset + 1, self.finished.get(record.place, 0))
        self.to_commit.set()


class _BeforeDurable(SimSender):
    """Says that records are durable while they are on their way."""

    async def deliver(self, records: Sequence[Record]) -> Sequence[Refusal | None]:
        await self.process.gate()
        self.process.spawn(super().deliver(records))
        return [None] * len(records)


class _NoLetters(SimSender):
    """Sends no dead letters."""

    async def deliver(self, records: Sequence[Record]) -> Sequence[Refusal | None]:
        kept = [record for record in records if record.topic != TOPICS.dead_letters]
        await super().deliver(kept)
        return [None] * len(records)


class _WithoutOwner(SimReceipts):
    """Takes a claim that a stranger holds."""

    async def claim(self, claims: Sequence[Claim]) -> list[ClaimOutcome]:
        outcomes = await super().claim(claims)
        return [
            Claimed(claim.matched_at, uncertain=False) if isinstance(outcome, Busy) else outcome
            for claim, outcome in zip(claims, outcomes, strict=True)
        ]


class _ForgetsUncertainty(SimReceipts):
    """Does not say that an earlier claim was left unfinished."""

    async def claim(self, claims: Sequence[Claim]) -> list[ClaimOutcome]:
        outcomes = await super().claim(claims)
        return [replace(one, uncertain=False) if isinstance(one, Claimed) else one for one in outcomes]


class _LostLeaseForwards(SimReceipts):
    """Lets a result count whose lease was lost."""

    async def finish(self, results: Sequence[tuple[UUID, dict[str, Any]]]) -> list[dict[str, Any] | None]:
        await super().finish(results)
        return [result for _, result in results]


class _TwoTransactions(SimReceipts):
    """Carries the effects out, and stores the receipts in a second transaction."""

    async def apply(self, claims: Sequence[Claim], effect: TransactionalEffect) -> list[ClaimOutcome]:
        await super().apply([replace(claim, command_id=_other(claim.command_id)) for claim in claims], effect)
        return await super().apply(claims, effect)


class _SendsTwice(SimHttp):
    """Sends a request twice, as a client does that tries again by itself."""

    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        await super().send(request, within=within, body_limit=body_limit)
        return await super().send(request, within=within, body_limit=body_limit)


class _KeepsFired(SimTimers):
    """Keeps a timer that it has fired."""

    async def fire(self, bounds: Bounds, send: Callable[[Sequence[DueTimer]], Awaitable[Sequence[DueTimer]]]) -> int:
        async def kept(due: Sequence[DueTimer]) -> Sequence[DueTimer]:
            await send(due)
            for timer in due:
                self.table.due_at[timer.command_id] += _AGAIN_S
            return ()

        return await super().fire(bounds, kept)


class _ForgetsUnfired(SimTimers):
    """Deletes timers before Kafka has their records."""

    async def fire(self, bounds: Bounds, send: Callable[[Sequence[DueTimer]], Awaitable[Sequence[DueTimer]]]) -> int:
        async def forgotten(due: Sequence[DueTimer]) -> Sequence[DueTimer]:
            self.process.spawn(_unheard(send(due)))
            return due

        return await super().fire(bounds, forgotten)


class _OfOneProcess(SimEntries):
    """Counts entries in memory, which ends with the process."""

    def __init__(self, entries: Entries, process: Process) -> None:
        del entries
        super().__init__(MemoryEntries(), process)


class _NeverProbed(SimBreakers):
    """Opens breakers for a day."""

    async def change(self, destination: str, transition: Transition) -> tuple[BreakerState | None, datetime]:
        def kept(state: BreakerState | None, at: datetime) -> BreakerState | None:
            after = transition(state, at)
            return after if after is None or after.closed else replace(after, until=at + timedelta(days=1))

        return await super().change(destination, kept)


async def _unheard(sending: Awaitable[Any]) -> None:
    with suppress(Exception):
        await sending


def _other(command: UUID) -> UUID:
    return UUID(int=command.int ^ 1)


PLANTS: Final[Mapping[str, Parts]] = {
    "commit-past-a-hole": Parts(member=_PastAHole),
    "ack-before-durable": Parts(sender=_BeforeDurable),
    "skipped-dead-letter": Parts(sender=_NoLetters),
    "claim-without-owner": Parts(receipts=_WithoutOwner),
    "uncertainty-forgotten": Parts(receipts=_ForgetsUncertainty),
    "lost-lease-forwards": Parts(receipts=_LostLeaseForwards),
    "effect-and-receipt-apart": Parts(receipts=_TwoTransactions),
    "duplicate-of-an-attempt": Parts(http=_SendsTwice),
    "timer-kept": Parts(timers=_KeepsFired),
    "timer-lost": Parts(timers=_ForgetsUnfired),
    "stale-table-entry": Parts(revisions=lambda revisions: [one for one in revisions if one.version == 1]),
    "entry-forgotten": Parts(entries=_OfOneProcess),
    "breaker-never-probed": Parts(breakers=_NeverProbed),
}
