"""Attempts at one claimed command, until one succeeds, the policy gives up, or it has to wait elsewhere.

What may stand in the way of an attempt, in this order: the destination has its share of the lane already (bulkhead),
its circuit breaker is open, the lease is too short. What waits for long is parked in the timers, with the attempts
made so far; it takes no slot and survives every restart.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from app.actions.base import LeasedAction, Ports
from app.domain.errors import ActionFailedError
from app.domain.retry import Failure, GiveUp, RetryPolicy, Wait, decide
from app.domain.trace_context import TraceContext
from app.execution.breakers import Admission, Breakers
from app.execution.bulkhead import Entry
from app.execution.lane import Lane
from app.execution.preparation import Prepared, Preparer
from app.execution.step_metrics import StepMetrics
from app.execution.timing import REAL_TIME, Timing
from app.execution.tracing import StepTraces, end_attempt
from app.ports import Park, Record, Timer, TimerKind
from schemas.command import Command
from schemas.log_ids import of_command
from schemas.result import ActionResult

log = logging.getLogger(__name__)

_IN_TIME: Final = nullcontext()
_LOOK_S: Final = 0.1
MAX_REASON_CHARS: Final = 500
MAX_BUSY_WAIT_S: Final = 60.0


class GivenBackError(Exception):
    """The record's partition is being taken away while nothing with an effect runs."""


class LeaseTooShortError(Exception):
    """No attempt would end within the claim's lease."""


@dataclass(slots=True)
class Tries:
    """How the attempts at one command go; ``spent``: seconds of attempts and backoffs."""

    attempts: int = 0
    spent: float = 0.0
    uncertain: bool = False
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """One claimed command that is to be carried out.

    Attributes:
        record: The record that the command came on.
        prepared: The step as it was prepared.
        tries: The attempts so far; changed as they are made.
        held_until: Until when (monotonic seconds) its claim surely holds.
        lane: Where it takes its place, and what says that it is to be given back.
        destination: Where its attempts go.
        circuit: The destination as the workflow's owner reaches it, which is what breakers go by.
    """

    record: Any
    prepared: Prepared
    tries: Tries
    held_until: float
    lane: Lane
    destination: str
    circuit: str


class Attempts:
    """Makes attempts at commands of one action type.

    Args:
        action: The action type.
        preparer: Makes results.
        ports: The outside world.
        policy: When to try again.
        breakers: Which destinations to leave alone.
        traces: Records a span for each attempt.
        again: Makes the record of a step that is to be tried again.
        timing: The clock, and how to wait.
    """

    def __init__(
        self,
        action: LeasedAction[Any, Any],
        preparer: Preparer,
        ports: Ports,
        policy: RetryPolicy,
        breakers: Breakers,
        *,
        traces: StepTraces,
        again: Callable[[Command], Record],
        timing: Timing = REAL_TIME,
    ) -> None:
        self._action = action
        self._preparer = preparer
        self._ports = ports
        self._policy = policy
        self._breakers = breakers
        self._metrics = StepMetrics(action.name)
        self._traces = traces
        self._again = again
        self._timing = timing

    async def make(self, work: Work) -> ActionResult | Park:
        """Make attempts until there is a result, or a wait that is not sat out.

        Raises:
            GivenBackError: The record's partition is being taken away; no attempt is under way.
            LeaseTooShortError: The command must be claimed again first.
        """
        while True:
            answer = await self._try_once(work)
            if isinstance(answer, Park | ActionResult):
                return answer
            if isinstance(answer, dict):
                return self._result(work, output=answer)
            decision = self._decide(work, answer)
            work.tries.uncertain |= answer.effect_unknown
            if isinstance(decision, GiveUp):
                work.tries.timed_out = decision.timed_out
                return self._result(work, error=f"{answer} ({decision.reason})")
            self._metrics.retried()
            if decision.parked or not await self._sit_out(work, decision.seconds):
                return self._park(work, "retry", decision.seconds, f"{answer}; to be tried again")

    def _decide(self, work: Work, error: ActionFailedError) -> Wait | GiveUp:
        tries, context = work.tries, work.prepared.context
        spent = work.prepared.command.spent + tries.spent
        failure = Failure(tries.attempts, spent, error.permanent, error.retry_after)
        return decide(self._policy, failure, attempt_timeout=context.timeout, jitter=self._timing.jitter())

    async def _try_once(self, work: Work) -> dict[str, Any] | ActionFailedError | Park | ActionResult:
        """Make one attempt, if none of the things that may stand in its way does."""
        shut = self._breakers.shut(work.circuit)
        if shut is not None:
            return self._wait_for_circuit(work, shut)
        within = work.prepared.context.timeout
        entry = await work.lane.places.enter(work.circuit, within, lambda: work.lane.is_closing(work.record))
        if entry is Entry.CLOSING:
            raise GivenBackError
        if entry is Entry.FULL:
            busy = min(within * 2 ** min(work.prepared.command.parked, 4), MAX_BUSY_WAIT_S)
            return self._park(work, "retry", busy, f"{work.destination} has its share of attempts under way")
        try:
            if self._timing.monotonic() + within > work.held_until:
                raise LeaseTooShortError
            admission = await self._breakers.admit(work.circuit)
            if not admission.admitted:
                return self._wait_for_circuit(work, admission)
            span = self._traces.attempt(work.prepared.command, work.tries.attempts + 1, work.destination)
            answer = await self._attempt(work, span.context)
        finally:
            work.lane.places.leave(work.circuit)
        failed = answer if isinstance(answer, ActionFailedError) else None
        end_attempt(span, failed)
        await self._breakers.judge(work.circuit, admission, failed)
        return answer

    async def _attempt(self, work: Work, trace: TraceContext | None) -> dict[str, Any] | ActionFailedError:
        work.tries.attempts += 1
        context = work.prepared.context
        if work.tries.uncertain or trace is not None:
            context = replace(context, uncertain=work.tries.uncertain, trace=trace)
        began = self._timing.monotonic()
        try:
            async with _IN_TIME if self._action.keeps_time else asyncio.timeout(context.timeout):
                output = await self._action.perform(work.prepared.request, self._ports, context)
        except ActionFailedError as error:
            error.args = (context.redact.text(str(error)),)
            if log.isEnabledFor(logging.DEBUG):
                log.debug("an attempt failed", extra=self._said(work, why=str(error)))
            return error
        except TimeoutError:
            return ActionFailedError(f"no end within {context.timeout:g} s", effect_unknown=True)
        except Exception as error:
            log.exception("an action failed in our own code", extra=self._said(work))
            return ActionFailedError(f"internal error: {type(error).__name__}", permanent=True, effect_unknown=True)
        else:
            clean: dict[str, Any] = context.redact.value(output)
            return clean
        finally:
            work.tries.spent += self._timing.monotonic() - began

    def _said(self, work: Work, **said: object) -> dict[str, Any]:
        of = {"action": self._action.name, "destination": work.destination, "attempt": work.tries.attempts}
        return {**of_command(work.prepared.command, work.record), **of, **said}

    async def _sit_out(self, work: Work, seconds: float) -> bool:
        """Wait out a backoff without a slot; False where there is no room for that."""
        with work.lane.places.step_aside() as room:
            if room:
                await pause(seconds, lambda: work.lane.is_closing(work.record), self._timing)
                work.tries.spent += seconds
        return room

    def _wait_for_circuit(self, work: Work, admission: Admission) -> Park | ActionResult:
        """Let the command wait for its destination, unless it has done so for too long."""
        now = self._timing.now()
        since = work.prepared.command.waits_since or now
        deadline = since + self._breakers.max_wait
        if now >= deadline:
            waited = self._breakers.max_wait.total_seconds()
            failing = f"{work.destination} has been failing for {waited:g} s: {admission.reason}"
            return self._result(work, error=f"circuit_open: {failing}")
        reason = f"circuit open: {work.destination} is failing: {admission.reason}"
        return self._park(work, "circuit", admission.wait, reason, since=since, deadline=deadline)

    def _park(
        self,
        work: Work,
        kind: TimerKind,
        seconds: float,
        reason: str,
        *,
        since: datetime | None = None,
        deadline: datetime | None = None,
    ) -> Park:
        """Return the wait of a command, with what sends its next copy: the same step, the attempts so far in it."""
        command, tries = work.prepared.command, work.tries
        parked, now = command.parked + 1, self._timing.now()
        carried = {"parked": parked, "tried": tries.attempts, "tried_s": tries.spent, "waits_since": since}
        timer = Timer(
            command_id=command.id,
            execution_id=command.execution_id,
            workflow_id=command.workflow.id,
            entity=command.entity,
            step=command.step,
            kind=kind,
            reason=reason[:MAX_REASON_CHARS],
            due=now + timedelta(seconds=seconds),
            asked=now,
            record=self._again(command.model_copy(update=carried)),
            destination=work.circuit if kind == "circuit" else None,
            deadline=deadline,
        )
        return Park(timer, parked, tries.uncertain)

    def _result(self, work: Work, **more: Any) -> ActionResult:
        status: Literal["success", "failed"] = "failed" if "error" in more else "success"
        tries = work.tries
        facts: dict[str, Any] = {"attempts": tries.attempts, "uncertain": tries.uncertain, "timed_out": tries.timed_out}
        facts |= {"duration_ms": round(tries.spent * 1000), "verdicts": work.prepared.verdicts}
        return self._preparer.result(work.prepared.command, status, **facts, **more)


async def pause(seconds: float, closing: Callable[[], bool], timing: Timing) -> None:
    """Wait, as long as the record need not be given back.

    Raises:
        GivenBackError: It must be.
    """
    until = timing.monotonic() + seconds
    while (left := until - timing.monotonic()) > 0:
        if closing():
            raise GivenBackError
        await timing.sleep(min(left, _LOOK_S))
