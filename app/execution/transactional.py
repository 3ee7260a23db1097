"""Executor of actions whose effect is in our own Postgres: effect and receipt are one transaction, so exactly once.

Input: one lane's topic, in batches of what has arrived. Output: the slips, on their way. Side effects: the batch's, in
the order of the records, with their receipts, in one transaction.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from app.actions.base import ControlAction, TransactionalAction
from app.actions.steps import ResolvedStep, resolve
from app.domain.durations import is_for_some_time
from app.domain.errors import HeadraceError, PoisonError
from app.domain.route import Wait
from app.domain.wall import ticked
from app.execution.current_values import Current, CurrentValues
from app.execution.holding import Holding, TurnedAway
from app.execution.preparation import Prepared, Preparer
from app.execution.routing import Router, claim_of, read_command, result_json
from app.execution.step_metrics import StepMetrics
from app.execution.tracing import NO_SPAN, UNTRACED, StepTraces, note_result
from app.metrics.executor import DROPPED
from app.ports import Claim, ClaimOutcome, Done, Dropped, EffectTransaction, OwnerRights, Receipts, Record, Timer
from app.ports.tracing import Span
from app.services.delivery.dead_letters import DeadLetters
from schemas.command import Command
from schemas.incoming import Incoming
from schemas.log_ids import of_command
from schemas.result import ActionResult

log = logging.getLogger(__name__)


class _HandlerError(HeadraceError):
    """An action's own code raised: nothing of the transaction happened; the command at fault is looked for."""


@dataclass(slots=True)
class _Work:
    """A command with what is to be done, or with its result where nothing is to be done.

    ``span``: tells of it. ``begun``: the receipts let it be carried out; where they did not,
    another copy of the command was.
    """

    command: Command
    claim: Claim
    todo: Prepared | ActionResult
    cause: Incoming
    span: Span = NO_SPAN
    begun: bool = False
    made: tuple[ActionResult, dict[str, Any]] | None = None

    def record(self, result: ActionResult) -> dict[str, Any]:
        """Note the result, and return it as its receipt stores it."""
        stored = result_json(result)
        self.made = (result, stored)
        return stored

    def result(self, stored: dict[str, Any]) -> ActionResult:
        """Return the result that a receipt holds; mostly it is the one just made, which need not be read again."""
        if self.made is not None and self.made[1] is stored:
            return self.made[0]
        return ActionResult.model_validate(stored)


class TransactionalExecutor:
    """Carries out batches of commands of one action type."""

    def __init__(
        self,
        *,
        action: TransactionalAction[Any, Any] | ControlAction[Any],
        preparer: Preparer,
        current: Current,
        rights: OwnerRights,
        receipts: Receipts,
        router: Router,
        holding: Holding,
        dead_letters: DeadLetters,
        traces: StepTraces = UNTRACED,
    ) -> None:
        self._action = action
        self._preparer = preparer
        self._current = current
        self._rights = rights
        self._receipts = receipts
        self._router = router
        self._holding = holding
        self._dead_letters = dead_letters
        self._metrics, self._traces = StepMetrics(action.name), traces

    async def process(self, records: Sequence[Incoming]) -> list[Record]:
        """Carry a batch out; returns its slips on their way, in order.

        Raises:
            Exception: Postgres failed for good; the records must stay unacked.
        """
        spans: list[Span] = []
        try:
            return await self._process(records, spans)
        except BaseException as error:
            for span in spans:
                span.fail(type(error).__name__, type(error).__name__)
            raise
        finally:
            for span in spans:
                span.end()

    async def _process(self, records: Sequence[Incoming], spans: list[Span]) -> list[Record]:
        """Do so, with a span for each command."""
        began = time.monotonic()
        out: list[Record] = []
        steps: list[ResolvedStep] = []
        causes: list[Incoming] = []
        for record in records:
            try:
                command = read_command(record, self._action.name)
                spans.append(self._traces.step(record, command))
                steps.append(self._resolved(command))
                causes.append(record)
            except PoisonError as error:
                out.append(self._dead_letters.build(record, error))
        current = await self._current.of(steps, self._rights)
        judged = [self._prepared(*one) for one in zip(steps, current, causes, spans, strict=True)]
        held = [item for item in judged if isinstance(item, Timer)]
        if held:
            await self._holding.park(held)
        work = [item for item in judged if isinstance(item, _Work)]
        await self._permit(work)
        outcomes = await self._apply(work) if work else []
        self._observe(work, time.monotonic() - began)
        for item, outcome in zip(work, outcomes, strict=True):
            out.extend(self._forward(item, outcome))
        return out

    def _observe(self, work: Sequence[_Work], took: float) -> None:
        """Count a batch: each of its steps took as long as it did."""
        begun = [item for item in work if item.begun]
        self._metrics.taken(item.command for item in begun)
        if begun:
            self._metrics.seconds.observe_times(took, sum(isinstance(item.todo, Prepared) for item in begun))

    def _resolved(self, command: Command) -> ResolvedStep:
        before = ticked()
        step = resolve(command)
        if ticked() > before:  # it was compiled, and that took long
            self._holding.count(command, before)
        return step

    def _prepared(
        self, step: ResolvedStep, current: CurrentValues | None, cause: Incoming, span: Span
    ) -> _Work | Timer:
        """Prepare a command; an owner who has taken too much with those before it in the batch has the rest wait."""
        command = step.command
        claim, held = claim_of(command), self._holding.judge(command)
        if isinstance(held, Timer):
            return held
        if isinstance(held, TurnedAway):
            return _Work(command, claim, self._preparer.result(command, "failed", error=held.reason), cause, span)
        before = ticked()
        todo = self._preparer.prepare(step, current)
        self._holding.count(command, before)
        return _Work(command, claim, todo, cause, span)

    async def _permit(self, work: Sequence[_Work]) -> None:
        """Refuse what the owners lack permission for; where no permission is needed, none is looked up."""
        asking = [(item, todo) for item in work if isinstance(todo := item.todo, Prepared) and todo.need is not None]
        owners = await self._rights.of({todo.command.workflow.owner for _, todo in asking}) if asking else {}
        for item, todo in asking:
            item.todo = self._preparer.permitted(todo, owners[todo.command.workflow.owner])

    async def _apply(self, work: Sequence[_Work]) -> list[ClaimOutcome]:
        """Apply a batch; what Postgres or our own code refuses is found by halving, the rest goes on."""

        async def effect(transaction: EffectTransaction, indexes: Sequence[int]) -> dict[int, dict[str, Any]]:
            return await self._effect(transaction, {index: work[index] for index in indexes})

        try:
            return await self._receipts.apply([item.claim for item in work], effect)
        except (psycopg.DataError, psycopg.IntegrityError, _HandlerError) as error:
            if len(work) > 1:
                middle = len(work) // 2
                return [*await self._apply(work[:middle]), *await self._apply(work[middle:])]
            if isinstance(work[0].todo, ActionResult):
                raise  # a mere receipt was refused: not the command's fault
            return await self._apply([replace(work[0], todo=self._refused(work[0].command, error))])

    async def _effect(self, transaction: EffectTransaction, work: dict[int, _Work]) -> dict[int, dict[str, Any]]:
        for item in work.values():
            item.begun = True
        results = {index: item.record(item.todo) for index, item in work.items() if isinstance(item.todo, ActionResult)}
        timers = [self._timer(item, item.todo) for item in work.values() if isinstance(item.todo, ActionResult)]
        await transaction.timers.set([timer for timer in timers if timer is not None])
        prepared = {index: item.todo for index, item in work.items() if isinstance(item.todo, Prepared)}
        if not prepared or not isinstance(self._action, TransactionalAction):
            return results
        try:
            outputs = await self._action.perform_all([todo.request for todo in prepared.values()], transaction.crm)
        except psycopg.Error:
            raise
        except Exception as error:
            raise _HandlerError(f"{type(error).__name__}: {error}") from error
        for (index, todo), output in zip(prepared.items(), outputs, strict=True):
            result = self._preparer.result(todo.command, "success", output=output, verdicts=todo.verdicts, attempts=1)
            results[index] = work[index].record(result)
        return results

    def _timer(self, item: _Work, result: ActionResult) -> Timer | None:
        """Return what sends the execution on when its delay is over."""
        command = item.command
        way = self._router.way(command, result)
        if not isinstance(way, Wait):
            return None
        return Timer(
            command_id=item.claim.command_id,
            execution_id=command.execution_id,
            workflow_id=command.workflow.id,
            entity=command.entity,
            step=command.step,
            kind="delay",
            reason=f"delay until {way.until.isoformat(timespec='seconds')}",
            due=way.until,
            asked=result.executed_at if is_for_some_time(command.action.config) else None,
            record=self._router.after(command.model_copy(), result, way=way),
        )

    def _refused(self, command: Command, error: Exception) -> ActionResult:
        log.error("an action failed", exc_info=error, extra={"action": self._action.name, **of_command(command)})
        said = (
            f"Postgres refused it ({error.sqlstate})"
            if isinstance(error, psycopg.Error)
            else f"internal error: {error}"
        )
        return self._preparer.result(command, "failed", error=said, attempts=1)

    def _forward(self, item: _Work, outcome: ClaimOutcome) -> list[Record]:
        if isinstance(outcome, Dropped):
            DROPPED.labels(outcome.reason).inc()
            return []
        if not isinstance(outcome, Done):
            raise TypeError(f"apply answered {type(outcome).__name__}")
        item.command.matched_at = outcome.matched_at
        result = item.result(outcome.result)
        if item.begun:
            note_result(item.span, result)
            self._metrics.ended(result)
        else:
            self._metrics.duplicates.inc()
        way = self._router.way(item.command, result)
        if isinstance(way, Wait):
            return []  # its timer sends it on; a copy that comes again must not be sooner
        return [self._router.after(item.command, result, way=way, cause=item.cause)]
