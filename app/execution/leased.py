"""Executor of effects outside our Postgres: claim, attempts, receipt, forward (docs/design.md#4-receipts).

Input: one lane's topic. Output: the slip, on its way. Side effects: the action's, once, or twice with the same key and
marked uncertain where a crash fell between effect and receipt.
"""

from collections.abc import Collection
from functools import partial
from typing import Any

from app.actions.base import LeasedAction, Ports
from app.actions.steps import ResolvedStep, resolve
from app.domain.breaker import circuit_of
from app.domain.errors import PoisonError
from app.domain.grants import Use
from app.domain.log_context import about
from app.domain.retry import RetryPolicy
from app.domain.wall import ticked
from app.execution.attempts import Attempts, GivenBackError, LeaseTooShortError, Tries, Work
from app.execution.batching import Batcher
from app.execution.breakers import Breakers
from app.execution.current_values import Current
from app.execution.guard import blames_input, internal_error
from app.execution.holding import Holding, TurnedAway
from app.execution.lane import Lane
from app.execution.preparation import NO_SECRETS, Prepared, Preparer
from app.execution.routing import Router, claim_of, read_command
from app.execution.settling import Settling
from app.execution.step_metrics import StepMetrics
from app.execution.timing import REAL_TIME, Timing
from app.execution.tracing import UNTRACED, StepTraces, note_result
from app.ports import (
    Claim,
    Claimed,
    OwnerRights,
    Park,
    Receipts,
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
        timing: Timing = REAL_TIME,
        traces: StepTraces = UNTRACED,
    ) -> None:
        self._action, self._preparer, self._ports, self._timing = action, preparer, ports, timing
        self._metrics, self._traces, self._holding = StepMetrics(action.name), traces, holding
        self._attempts = Attempts(
            action,
            preparer,
            ports,
            policy,
            breakers,
            traces=traces,
            again=router.again,
            timing=timing,
        )
        delivery = Delivery(sender, dead_letters, router.refused)
        self._settling = Settling(receipts, router, delivery, self._metrics, lease=lease, timing=timing)
        self._rights, self._template_texts, self._dead_letters = rights, template_texts, dead_letters
        self._lookups, self._holds = Batcher(partial(current.of, rights=rights)), Batcher(holding.park)

    @property
    def many_destinations(self) -> bool:
        """Whether the commands go to several destinations."""
        return self._action.many_destinations

    async def handle(self, record: Incoming, lane: Lane) -> bool:
        """Carry one command out; False where it was given back before anything happened.

        What fails in our own code is a dead letter. ``lane``: where its attempts take their places, and what says when
        to give it back.

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

    async def _handle(self, record: Incoming, lane: Lane) -> bool:
        try:
            command = read_command(record, self._action.name)
        except PoisonError as error:
            await self._dead_letters.send(record, error)
            return True
        about(of_command, command, record)
        span = self._traces.step(record, command)
        try:
            claim, began = claim_of(command), self._timing.monotonic()
            held = self._holding.judge(command)
            if isinstance(held, Timer):
                await self._holds.do(held)
                return True
            prepared = await self._prepare(command) if held is None else self._turned_away(command, held)
            if isinstance(prepared, ActionResult):
                note_result(span, prepared)
                await self._settling.settle(record, command, claim, prepared)
            else:
                made = await self._carry_out(record, claim, prepared, lane)
                if made is not None:
                    self._metrics.seconds.observe(self._timing.monotonic() - began)
                    note_result(span, made)
        except GivenBackError:
            return False
        except BaseException as error:
            span.fail(type(error).__name__, type(error).__name__)
            raise
        finally:
            span.end()
        return True

    async def _prepare(self, command: Command) -> Prepared | ActionResult:
        step = await self._resolved(command)
        current = await self._lookups.do(step) if step.current else None
        takes = self._action.takes_secrets and step.secrets
        secrets = await self._secrets(step.secrets) if takes else NO_SECRETS
        before = ticked()
        prepared = self._preparer.prepare(step, current, secrets)
        self._holding.count(command, before)
        if isinstance(prepared, Prepared) and prepared.need is not None:
            owner = command.workflow.owner
            prepared = self._preparer.permitted(prepared, (await self._rights.of([owner]))[owner])
        if takes and isinstance(prepared, Prepared) and self._ports.secret_uses is not None:
            self._ports.secret_uses.note(step.secrets, Use(command.workflow.owner, command.workflow.id))
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

    async def _carry_out(self, record: Incoming, claim: Claim, prepared: Prepared, lane: Lane) -> ActionResult | None:
        """Claim, and make attempts; where the lease is lost on the way, claim again, with the result so far, if any.

        Returns the result that was stored; None where nothing came of it here: it waits, or was settled elsewhere.
        """
        command, result = prepared.command, None
        destination = prepared.context.redact.text(self._action.destination(prepared.request))
        circuit = circuit_of(destination, command.workflow.owner)
        while True:
            outcome, held_until = await self._settling.claim(record, claim, lane)
            repeatable = self._action.repeatable(prepared.request)
            if not isinstance(outcome, Claimed):
                await self._settling.was_settled(record, command, outcome, twice=result is not None and not repeatable)
                return None
            uncertain = outcome.uncertain and not repeatable
            if result is None:
                self._metrics.taken((command,))
                tries = Tries(command.tried, command.tried_s, uncertain)
                made = await self._try(claim, Work(record, prepared, tries, held_until, lane, destination, circuit))
                if made is None:
                    continue
                if isinstance(made, Park):
                    await self._settling.park(made)
                    return None
                result = made
            else:
                result = result.model_copy(update={"uncertain": result.uncertain or uncertain})
            if await self._settling.finish(record, claim, outcome, command, result):
                return result

    async def _try(self, claim: Claim, work: Work) -> ActionResult | Park | None:
        """Make attempts; None where the lease is too short for one."""
        try:
            return await self._attempts.make(work)
        except (GivenBackError, LeaseTooShortError) as error:
            # No attempt is under way: the next owner, or we, need not wait for the lease.
            await self._settling.release(claim, uncertain=work.tries.uncertain)
            if isinstance(error, GivenBackError):
                raise
            return None
