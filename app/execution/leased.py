"""Executor of effects outside our Postgres: claim, attempts, receipt, forward (docs/design.md#4-receipts).

Input: one lane's topic. Output: the slip, on its way. Side effects: the action's, once, or twice with the same key and
marked uncertain where a crash fell between effect and receipt.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from app.actions.base import LeasedAction, Ports
from app.actions.steps import ResolvedStep, resolve
from app.domain.breaker import circuit_of
from app.domain.errors import PoisonError
from app.domain.log_context import about
from app.domain.retry import RetryPolicy
from app.domain.wall import ticked
from app.execution.attempts import Attempts, GivenBackError, IsClosing, LeaseTooShortError, Tries, Work, pause
from app.execution.batching import Batcher
from app.execution.breakers import Breakers
from app.execution.bulkhead import Bulkhead
from app.execution.current_values import Current
from app.execution.guard import blames_input, internal_error
from app.execution.holding import Holding, TurnedAway
from app.execution.preparation import NO_SECRETS, Prepared, Preparer
from app.execution.routing import Router, claim_of, read_command, result_json
from app.execution.timing import REAL_TIME, Timing
from app.metrics.executor import ACTIONS, DROPPED, LEASES_LOST, PARKED
from app.ports import (
    Busy,
    Claim,
    Claimed,
    ClaimOutcome,
    Done,
    Dropped,
    EffectTransaction,
    OwnerRights,
    Park,
    Receipts,
    Record,
    SecretValues,
    Sender,
    Timer,
)
from app.services.delivery.dead_letters import DeadLetters
from app.services.delivery.sending import Delivery
from app.services.messages.message_text import TemplateTexts, names_template
from schemas.command import Command
from schemas.incoming import Incoming
from schemas.log_ids import of_command, of_record
from schemas.result import ActionResult


class LeasedExecutor:
    """Carries out commands of one action type; ``handle`` is what the lane's pool runs."""

    def __init__(
        self,
        *,
        action: LeasedAction[Any, Any],
        preparer: Preparer,
        current: Current,
        rights: OwnerRights,
        template_texts: TemplateTexts,
        receipts: Receipts,
        ports: Ports,
        router: Router,
        sender: Sender,
        dead_letters: DeadLetters,
        policy: RetryPolicy,
        breakers: Breakers,
        holding: Holding,
        lease: float,
        is_closing: IsClosing,
        timing: Timing = REAL_TIME,
    ) -> None:
        self._action = action
        self._preparer = preparer
        self._ports, self._router = ports, router
        self._delivery = Delivery(sender, dead_letters, router.refused)
        self._dead_letters = dead_letters
        self._lease = lease
        self._is_closing = is_closing
        self._timing = timing
        self._lookups = Batcher(partial(current.of, rights=rights))
        self._attempts = Attempts(
            action, preparer, ports, policy, breakers, again=router.again, is_closing=is_closing, timing=timing
        )
        self._rights, self._template_texts = rights, template_texts
        self._claims = Batcher(receipts.claim)
        self._finishes = Batcher(receipts.finish)
        self._settles = Batcher(self._settle_all)
        self._forwards = Batcher(self._send_all)
        self._parks = Batcher(self._park_all)
        self._holding, self._holds = holding, Batcher(holding.park)
        self._receipts = receipts

    @property
    def many_destinations(self) -> bool:
        """Whether the commands go to several destinations."""
        return self._action.many_destinations

    async def handle(self, record: Incoming, lane: Bulkhead) -> bool:
        """Carry one command out; False where it was given back before anything happened.

        What fails in our own code is a dead letter. ``lane``: where its attempts take their places.

        Raises:
            Exception: Kafka or Postgres failed for good; the record must stay unacked.
        """
        about(of_record, record)
        try:
            return await self._handle(record, lane)
        except Exception as error:
            if not blames_input(error):
                raise
            await self._dead_letters.send(record, internal_error(record, error))
            return True

    async def _handle(self, record: Incoming, lane: Bulkhead) -> bool:
        try:
            command = read_command(record, self._action.name)
        except PoisonError as error:
            await self._dead_letters.send(record, error)
            return True
        about(of_command, command, record)
        claim = claim_of(command)
        held = self._holding.judge(command)
        if isinstance(held, Timer):
            await self._holds.do(held)
            return True
        prepared = await self._prepare(command, claim) if held is None else self._turned_away(command, held)
        try:
            if isinstance(prepared, ActionResult):
                await self._settle(record, command, claim, prepared)
            else:
                await self._carry_out(record, claim, prepared, lane)
        except GivenBackError:
            return False
        return True

    async def _prepare(self, command: Command, claim: Claim) -> Prepared | ActionResult:
        step = await self._resolved(command)
        current = await self._lookups.do(step) if step.current else None
        takes = self._action.takes_secrets and step.secrets
        secrets = await self._secrets(step.secrets) if takes else NO_SECRETS
        before = ticked()
        prepared = self._preparer.prepare(step, claim.command_id, current, secrets)
        self._holding.count(command, before)
        if isinstance(prepared, Prepared) and prepared.need is not None:
            owner = command.workflow.owner
            return self._preparer.permitted(prepared, (await self._rights.of([owner]))[owner])
        return prepared

    async def _resolved(self, command: Command) -> ResolvedStep:
        """Resolve the step with its message template's texts, if it names one, as they are now."""
        action, owner = command.action, command.workflow.owner
        if names_template(action):
            action = await self._template_texts.one(owner, action)
        before = ticked()
        step = resolve(command, action)
        self._holding.count(command, before)
        return step

    def _turned_away(self, command: Command, away: TurnedAway) -> ActionResult:
        return self._preparer.result(command, "failed", error=away.reason)

    async def _secrets(self, names: Collection[str]) -> SecretValues:
        source = self._ports.secrets
        if source is None:
            return SecretValues(problems=dict.fromkeys(names, "this installation has no secret store"))
        return await source.get(names)

    # -- steps without an effect: skipped, or failed before anything was tried

    async def _settle(self, record: Incoming, command: Command, claim: Claim, result: ActionResult) -> None:
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
                ACTIONS.labels(self._action.name, items[index][1].status).inc()
            elif isinstance(outcome, Done):
                DROPPED.labels("duplicate").inc()
        return outcomes

    # -- steps with an effect

    async def _carry_out(self, record: Incoming, claim: Claim, prepared: Prepared, lane: Bulkhead) -> None:
        """Claim, and make attempts; where the lease is lost on the way, claim again, with the result so far, if any."""
        command, result = prepared.command, None
        destination = prepared.context.redact.text(self._action.destination(prepared.request))
        circuit = circuit_of(destination, command.workflow.owner)
        while True:
            outcome, held_until = await self._claim(record, claim, lane)
            if not isinstance(outcome, Claimed):
                await self._was_settled(record, command, outcome)
                return
            uncertain = outcome.uncertain and not self._action.repeatable(prepared.request)
            if result is None:
                tries = Tries(command.tried, command.tried_s, uncertain)
                made = await self._try(claim, Work(record, prepared, tries, held_until, lane, destination, circuit))
                if made is None:
                    continue
                if isinstance(made, Park):
                    await self._parks.do(made)
                    return
                result = made
            else:
                result = result.model_copy(update={"uncertain": result.uncertain or uncertain})
            if await self._finish(record, claim, outcome, command, result):
                return

    async def _try(self, claim: Claim, work: Work) -> ActionResult | Park | None:
        """Make attempts; None where the lease is too short for one."""
        try:
            return await self._attempts.make(work)
        except (GivenBackError, LeaseTooShortError) as error:
            # No attempt is under way: the next owner, or we, need not wait for the lease.
            await self._receipts.release([claim.command_id], uncertain=work.tries.uncertain)
            if isinstance(error, GivenBackError):
                raise
            return None

    async def _finish(
        self, record: Incoming, claim: Claim, claimed: Claimed, command: Command, result: ActionResult
    ) -> bool:
        """Store a result and send the slip on; False where the lease was lost and nothing is stored yet."""
        made = result_json(result)
        counts = await self._finishes.do((claim.command_id, made))
        if counts is None:
            LEASES_LOST.inc()
            return False
        await self._forward(record, command, Done(claimed.matched_at, counts), result if counts is made else None)
        return True

    async def _was_settled(self, record: Incoming, command: Command, outcome: Done | Dropped) -> None:
        """Count a copy that does not run; one whose step is done goes on, for the earlier forward may not have been."""
        if isinstance(outcome, Dropped):
            DROPPED.labels(outcome.reason).inc()
            return
        DROPPED.labels("duplicate").inc()
        await self._forward(record, command, outcome)

    async def _claim(self, record: Incoming, claim: Claim, lane: Bulkhead) -> tuple[Claimed | Done | Dropped, float]:
        """Claim, and say until when (monotonic seconds) a claim surely holds."""
        while True:
            asked = self._timing.monotonic()
            outcome = await self._claims.do(claim)
            if not isinstance(outcome, Busy):
                return outcome, asked + self._lease
            # A stranger's live lease is waited for, never acked. That takes no slot as long as there is room aside;
            # past it the command keeps its slot, for which it waits no longer than the lease.
            with lane.step_aside():
                await pause(outcome.retry_after, partial(self._is_closing, record), self._timing)

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
        await self._forwards.do(replace(self._router.after(command, result), cause=record))

    async def _send_all(self, records: Sequence[Record]) -> Sequence[None]:
        await self._delivery.send_all(records)
        return [None] * len(records)
