"""The receipts of one action type's commands, and the slips that follow from them.

Claims, results and slips are batched over concurrent commands: each of them is one statement, or one request, for all
that are ready.
"""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from app.execution.attempts import pause
from app.execution.batching import Batcher
from app.execution.lane import Lane
from app.execution.routing import Router, result_json
from app.execution.step_metrics import StepMetrics, is_unmarked
from app.execution.timing import Timing
from app.metrics.executor import DROPPED, LEASES_LOST, PARKED, UNEXPECTED_DUPLICATES
from app.ports import Busy, Claim, Claimed, ClaimOutcome, Done, Dropped, EffectTransaction, Park, Receipts, Record
from app.services.delivery.sending import Delivery
from schemas.command import Command
from schemas.incoming import Incoming
from schemas.log_ids import of_command
from schemas.result import ActionResult

log = logging.getLogger(__name__)


class Settling:
    """Claims commands, stores their results, and sends their slips on.

    Args:
        receipts: Holds what is done.
        router: Says where slips go next.
        delivery: Sends them.
        metrics: Counts.
        lease: Seconds for which a claim holds.
        timing: The clock, and how to wait.
    """

    def __init__(
        self,
        receipts: Receipts,
        router: Router,
        delivery: Delivery,
        metrics: StepMetrics,
        *,
        lease: float,
        timing: Timing,
    ) -> None:
        self._receipts = receipts
        self._router = router
        self._delivery = delivery
        self._metrics = metrics
        self._lease = lease
        self._timing = timing
        self._claims = Batcher(receipts.claim)
        self._finishes = Batcher(receipts.finish)
        self._settles = Batcher(self._settle_all)
        self._forwards = Batcher(self._send_all)
        self._parks = Batcher(self._park_all)

    async def claim(self, record: Incoming, claim: Claim, lane: Lane) -> tuple[Claimed | Done | Dropped, float]:
        """Claim, and say until when (monotonic seconds) a claim surely holds."""
        while True:
            asked = self._timing.monotonic()
            outcome = await self._claims.do(claim)
            if not isinstance(outcome, Busy):
                return outcome, asked + self._lease
            # A stranger's live lease is waited for, never acked. That takes no slot as long as there is room aside;
            # past it the command keeps its slot, for which it waits no longer than the lease.
            with lane.places.step_aside():
                await pause(outcome.retry_after, partial(lane.is_closing, record), self._timing)

    async def settle(self, record: Incoming, command: Command, claim: Claim, result: ActionResult) -> None:
        """Store the result of a step without an effect, skipped or failed before anything was tried, and send it on."""
        outcome = await self._settles.do((claim, result))
        if isinstance(outcome, Dropped):
            DROPPED.labels(outcome.reason).inc()
        elif isinstance(outcome, Done):
            await self._forward(record, command, outcome)

    async def _settle_all(self, items: Sequence[tuple[Claim, ActionResult]]) -> list[ClaimOutcome]:
        begun: set[int] = set()

        async def nothing(_: EffectTransaction, indexes: Sequence[int]) -> dict[int, dict[str, Any]]:
            begun.update(indexes)
            return {index: result_json(items[index][1]) for index in indexes}

        outcomes = await self._receipts.apply([claim for claim, _ in items], nothing)
        for index, outcome in enumerate(outcomes):
            if index in begun:
                self._metrics.ended(items[index][1])
            elif isinstance(outcome, Done):
                self._metrics.duplicates.inc()
        return outcomes

    async def finish(
        self, record: Incoming, claim: Claim, claimed: Claimed, command: Command, result: ActionResult
    ) -> bool:
        """Store a result and send the slip on; False where the lease was lost and nothing is stored yet."""
        made = result_json(result)
        counts = await self._finishes.do((claim.command_id, made))
        if counts is None:
            LEASES_LOST.inc()
            return False
        self._metrics.ended(result)
        await self._forward(record, command, Done(claimed.matched_at, counts), result if counts is made else None)
        return True

    async def was_settled(self, record: Incoming, command: Command, outcome: Done | Dropped, *, twice: bool) -> None:
        """Count a copy that does not run; one whose step is done goes on, for the earlier forward may not have been.

        ``twice``: this worker made the effect before it knew. Whoever settled it took over an unfinished claim, and its
        result is to say so: one that does not hides that the effect happened twice.
        """
        if isinstance(outcome, Dropped):
            DROPPED.labels(outcome.reason).inc()
            return
        self._metrics.duplicates.inc()
        if twice and is_unmarked(outcome.result):
            UNEXPECTED_DUPLICATES.inc()
            log.error("an effect happened twice, and its result does not say so", extra=of_command(command, record))
        await self._forward(record, command, outcome)

    async def release(self, claim: Claim, *, uncertain: bool) -> None:
        """Give a claim back while no attempt is under way: its next owner need not wait for the lease."""
        await self._receipts.release([claim.command_id], uncertain=uncertain)

    async def park(self, park: Park) -> None:
        """Let a command wait in the timers."""
        await self._parks.do(park)

    async def _park_all(self, parks: Sequence[Park]) -> Sequence[None]:
        await self._receipts.park(parks)
        PARKED.inc(len(parks))
        return [None] * len(parks)

    async def _forward(
        self, record: Incoming, command: Command, done: Done, result: ActionResult | None = None
    ) -> None:
        """Send the slip on with what its step came to; ``result`` is that, where it need not be read off ``done``."""
        command.matched_at = done.matched_at
        result = result or ActionResult.model_validate(done.result)
        await self._forwards.do(self._router.after(command, result, cause=record))

    async def _send_all(self, records: Sequence[Record]) -> Sequence[None]:
        await self._delivery.send_all(records)
        return [None] * len(records)
