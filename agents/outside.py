"""Executor of actions whose effect is outside our Postgres: claim, attempts, receipt, forward (DESIGN 4).

Input: one lane's topic. Output: the slip, on its way. Side effects: the action's, once, or twice with the same key and
marked uncertain where a crash fell between effect and receipt.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from agents.batching import Batcher
from agents.current import Current, names_read
from agents.metrics import ACTIONS, DROPPED, PARKED
from agents.preparation import Prepared, Preparer
from agents.slips import Road, claim_of, read_command, result_json
from agents.timing import REAL_TIME, Timing
from app.actions.base import OutsideAction, Ports
from app.domain.errors import ActionFailedError, PoisonError
from app.domain.retry import Failure, GiveUp, RetryPolicy, decide
from app.ports import (
    Busy,
    Claim,
    Claimed,
    ClaimOutcome,
    Done,
    Dropped,
    Own,
    Park,
    Receipts,
    Record,
    Sender,
    Timer,
    TimerKind,
)
from app.services.dead_letters import DeadLetters
from schemas.command import Command
from schemas.incoming import Incoming
from schemas.result import ActionResult

log = logging.getLogger(__name__)

_LOOK_S = 0.1
MAX_REASON_CHARS = 500
IsClosing = Callable[[Any], bool]


@dataclass(slots=True)
class _Tries:
    """How the attempts at one command go."""

    attempts: int = 0
    uncertain: bool = False
    timed_out: bool = False


class _GivenBackError(Exception):
    """The record's partition is being taken away while nothing with an effect runs."""


class OutsideExecutor:
    """Carries out commands of one action type; ``handle`` is what the lane's pool runs."""

    def __init__(
        self,
        *,
        action: OutsideAction[Any, Any],
        preparer: Preparer,
        current: Current,
        receipts: Receipts,
        ports: Ports,
        road: Road,
        sender: Sender,
        dead_letters: DeadLetters,
        policy: RetryPolicy,
        lease: float,
        is_closing: IsClosing,
        timing: Timing = REAL_TIME,
    ) -> None:
        self._action = action
        self._preparer = preparer
        self._ports = ports
        self._road = road
        self._sender = sender
        self._dead_letters = dead_letters
        self._policy = policy
        self._lease = lease
        self._is_closing = is_closing
        self._timing = timing
        self._lookups = Batcher(current.of)
        self._claims = Batcher(receipts.claim)
        self._finishes = Batcher(receipts.finish)
        self._settles = Batcher(self._settle_all)
        self._forwards = Batcher(self._send_all)
        self._parks = Batcher(self._park_all)
        self._receipts = receipts

    async def handle(self, record: Incoming) -> bool:
        """Carry one command out; False where it was given back before anything happened.

        Raises:
            Exception: Kafka or Postgres failed for good; the record must stay unacked.
        """
        try:
            command = read_command(record, self._action.name)
        except PoisonError as error:
            await self._dead_letters.send(record, error)
            return True
        claim = claim_of(command)
        current = await self._lookups.do(command) if names_read(command.action) else None
        prepared = self._preparer.prepare(command, claim.command_id, current)
        try:
            if isinstance(prepared, ActionResult):
                await self._settle(command, claim, prepared)
            else:
                await self._carry_out(record, claim, prepared)
        except _GivenBackError:
            return False
        return True

    # -- steps without an effect: skipped, or failed before anything was tried

    async def _settle(self, command: Command, claim: Claim, result: ActionResult) -> None:
        outcome = await self._settles.do((claim, result))
        if isinstance(outcome, Dropped):
            DROPPED.labels(outcome.reason).inc()
        elif isinstance(outcome, Done):
            await self._forward(command, outcome)

    async def _settle_all(self, items: Sequence[tuple[Claim, ActionResult]]) -> list[ClaimOutcome]:
        async def nothing(_: Own, indexes: Sequence[int]) -> dict[int, dict[str, Any]]:
            return {index: result_json(items[index][1]) for index in indexes}

        return await self._receipts.apply([claim for claim, _ in items], nothing)

    # -- steps with an effect

    async def _carry_out(self, record: Incoming, claim: Claim, prepared: Prepared) -> None:
        command = prepared.command
        outcome, held_until = await self._claim(record, claim)
        if isinstance(outcome, Dropped):
            DROPPED.labels(outcome.reason).inc()
            return
        if isinstance(outcome, Done):
            DROPPED.labels("duplicate").inc()
            await self._forward(command, outcome)
            return
        tries = _Tries(attempts=command.tried, uncertain=outcome.uncertain)
        result = await self._attempts(record, prepared, tries, held_until)
        if isinstance(result, Park):
            await self._parks.do(result)
            return
        if result is None:  # the lease ran out before an attempt could start: ask for it again
            await self._carry_out(record, claim, prepared)
            return
        made = result_json(result)
        stored = await self._finishes.do((claim.command_id, made))
        await self._forward(command, Done(outcome.matched_at, stored), result if stored is made else None)

    async def _claim(self, record: Incoming, claim: Claim) -> tuple[Claimed | Done | Dropped, float]:
        """Claim, and say until when (monotonic seconds) a claim surely holds."""
        while True:
            asked = self._timing.monotonic()
            outcome = await self._claims.do(claim)
            if not isinstance(outcome, Busy):
                return outcome, asked + self._lease
            # A stranger's live lease is waited for, never acked.
            await self._pause(record, outcome.retry_after)

    async def _attempts(
        self, record: Incoming, prepared: Prepared, tries: _Tries, held_until: float
    ) -> ActionResult | Park | None:
        command = prepared.command
        started = self._timing.monotonic() - command.tried_s
        spent_before = command.spent
        while True:
            if self._timing.monotonic() + prepared.context.timeout > held_until:
                await self._receipts.release([prepared.context.command_id], uncertain=tries.uncertain)
                return None
            tries.attempts += 1
            answer = await self._attempt(prepared, tries)
            spent = self._timing.monotonic() - started
            if isinstance(answer, dict):
                return self._result(prepared, tries, spent, output=answer)
            failure = Failure(tries.attempts, spent_before + spent, answer.permanent, answer.retry_after)
            jitter = self._timing.jitter()
            decision = decide(self._policy, failure, attempt_timeout=prepared.context.timeout, jitter=jitter)
            if isinstance(decision, GiveUp):
                tries.timed_out = decision.timed_out
                tries.uncertain |= answer.effect_unknown
                return self._result(prepared, tries, spent, error=f"{answer} ({decision.reason})")
            tries.uncertain |= answer.effect_unknown
            ACTIONS.labels(self._action.name, "retried").inc()
            if decision.parked:
                reason = f"{answer}; to be tried again"
                return self._park(command, tries, spent, kind="retry", reason=reason, seconds=decision.seconds)
            await self._back_off(record, prepared, decision.seconds, tries)

    def _park(
        self, command: Command, tries: _Tries, spent: float, *, kind: TimerKind, reason: str, seconds: float
    ) -> Park:
        """Return the wait of a command, with what sends its next copy: the same step, the attempts so far in it."""
        parked = command.parked + 1
        copy = command.model_copy(update={"parked": parked, "tried": tries.attempts, "tried_s": spent})
        timer = Timer(
            command_id=command.id,
            execution_id=command.execution_id,
            workflow_id=command.workflow.id,
            entity=command.entity,
            step=command.step,
            kind=kind,
            reason=reason[:MAX_REASON_CHARS],
            due=datetime.now(UTC) + timedelta(seconds=seconds),
            record=self._road.again(copy),
        )
        return Park(timer, parked, tries.uncertain)

    async def _park_all(self, parks: Sequence[Park]) -> Sequence[None]:
        await self._receipts.park(parks)
        PARKED.inc(len(parks))
        return [None] * len(parks)

    async def _attempt(self, prepared: Prepared, tries: _Tries) -> dict[str, Any] | ActionFailedError:
        context = replace(prepared.context, uncertain=tries.uncertain)
        try:
            async with asyncio.timeout(context.timeout):
                return await self._action.perform(prepared.request, self._ports, context)
        except ActionFailedError as error:
            return error
        except TimeoutError:
            return ActionFailedError(f"no end within {context.timeout:g} s", effect_unknown=True)
        except Exception as error:
            log.exception("%s failed in our own code", self._action.name)
            return ActionFailedError(f"internal error: {type(error).__name__}", permanent=True, effect_unknown=True)

    async def _back_off(self, record: Incoming, prepared: Prepared, seconds: float, tries: _Tries) -> None:
        try:
            await self._pause(record, seconds)
        except _GivenBackError:
            # The next owner need not wait for the lease: no attempt is under way.
            await self._receipts.release([prepared.context.command_id], uncertain=tries.uncertain)
            raise

    async def _pause(self, record: Incoming, seconds: float) -> None:
        until = self._timing.monotonic() + seconds
        while (left := until - self._timing.monotonic()) > 0:
            if self._is_closing(record):
                raise _GivenBackError
            await self._timing.sleep(min(left, _LOOK_S))

    def _result(self, prepared: Prepared, tries: _Tries, spent: float, **more: Any) -> ActionResult:
        status: Literal["success", "failed"] = "failed" if "error" in more else "success"
        ACTIONS.labels(self._action.name, status).inc()
        facts: dict[str, Any] = {"attempts": tries.attempts, "uncertain": tries.uncertain, "timed_out": tries.timed_out}
        facts |= {"duration_ms": round(spent * 1000), "verdicts": prepared.verdicts}
        return self._preparer.result(prepared.command, status, **facts, **more)

    async def _forward(self, command: Command, done: Done, result: ActionResult | None = None) -> None:
        """Send the slip on with what its step came to; ``result`` is that, where it need not be read off ``done``."""
        command.matched_at = done.matched_at
        result = result or ActionResult.model_validate(done.result)
        await self._forwards.do(self._road.after(command, result))

    async def _send_all(self, records: Sequence[Record]) -> Sequence[None]:
        await self._sender.send_all(records)
        return [None] * len(records)
