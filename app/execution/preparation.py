"""From a command to something that can be carried out: the step's own conditions, then its rendered config."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from app.actions.base import ActionContext, AnyAction, ControlAction, DelayRequest, StopRequest
from app.actions.message_text import refuse_unfound
from app.actions.steps import ResolvedStep
from app.domain.callers import Caller
from app.domain.causation import Link
from app.domain.conditions import CompiledConditions, ConditionError, Scope
from app.domain.errors import ActionFailedError, CostlyError
from app.domain.grants import EVERYBODY, Use, not_granted
from app.domain.needs import Need, own_entity
from app.domain.penalties import REFUSED, Penalties
from app.domain.redaction import MASK, redactor_of
from app.domain.secret_names import SECRETS_ROOT
from app.domain.wall import MESSAGE, WallReachedError
from app.execution.current_values import CurrentValues
from app.metrics.walls import WALLS
from app.ports import SecretValues
from schemas.command import Command
from schemas.log_ids import of_command
from schemas.result import ActionResult

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A command whose effect can be carried out: the action's own ``request``; ``need`` is what its owner must have."""

    command: Command
    request: Any
    context: ActionContext
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    need: Need | None = None


NO_SECRETS: Final = SecretValues()

# Every field has a value, because the result is made without validation.
_NOTHING_MORE: Final[dict[str, Any]] = {
    "attempts": 0,
    "stop": False,
    "timed_out": False,
    "resume_at": None,
    "duration_ms": 0,
}


class Preparer:
    """Prepares commands of one action type; no I/O.

    Args:
        action: The action type.
        timeout: Seconds one attempt may take.
        clock: The time, for relative times in conditions and for results.
        penalties: Refuses steps that take too much CPU again and again; None where nothing waits behind them.
    """

    def __init__(
        self,
        action: AnyAction,
        *,
        timeout: float,
        clock: Callable[[], datetime],
        penalties: Penalties | None = None,
    ) -> None:
        self._action = action
        self._penalties = penalties
        self._timeout = timeout
        self._clock = clock

    def prepare(
        self,
        step: ResolvedStep,
        current: CurrentValues | None = None,
        secrets: SecretValues = NO_SECRETS,
    ) -> Prepared | ActionResult:
        """Return what is to be carried out, or the step's result where nothing is: skipped, failed, stop.

        Args:
            step: The command's step.
            current: What ``current`` is, where the step asks for it; or why that is not known.
            secrets: The secrets that the step uses.
        """
        command = step.command
        if isinstance(current, ActionFailedError):
            return self.result(command, "failed", error=f"current: {current}")
        if self._penalties and self._penalties.refused(_step_of(command)):
            WALLS.labels("step", "refused").inc()
            return self.result(command, "failed", error=f"{MESSAGE}; {REFUSED}")
        return self._prepare(step, current, secrets)

    def _prepare(
        self, step: ResolvedStep, current: Mapping[str, Any] | None, secrets: SecretValues
    ) -> Prepared | ActionResult:
        command = step.command
        verdicts: list[dict[str, Any]] = []
        scope = _scope(command, results=step.results)
        if current is not None:
            scope["current"] = current
        try:
            conditions = step.conditions
            if conditions is not None:
                met, verdicts = self._evaluate(conditions, command, scope, current)
                if not met:
                    return self.result(command, "skipped", error="its conditions are not met", verdicts=verdicts)
            refuse_unfound(self._action, step.action.config)
            context = self._context(command, scope)
            config = step.config
            context = _with_secrets(context, step.secrets, secrets)
            request = self._action.prepare(config, context)
            self._note_wall(command, reached=False)
        except (ActionFailedError, ConditionError) as error:  # the revision may be older than this program's rules
            self._note_wall(command, reached=isinstance(error, CostlyError))
            return self.result(command, "failed", error=_said(error, secrets), verdicts=verdicts)
        except Exception as error:
            log.exception("preparing a command failed", extra=of_command(command))
            return self.result(command, "failed", error=f"internal error: {type(error).__name__}", verdicts=verdicts)
        if isinstance(self._action, ControlAction):
            return self._controlled(command, request, verdicts)
        return Prepared(command, request, context, verdicts, self._action.needs(request, context))

    def permitted(self, prepared: Prepared, owner: Caller) -> Prepared | ActionResult:
        """Return what is to be carried out; of an owner who lacks what it needs, the failed result."""
        need = prepared.need
        if need is None or owner.may(need.permission):
            return prepared
        return self.result(prepared.command, "failed", error=need.lacking, verdicts=prepared.verdicts)

    def _context(self, command: Command, scope: dict[str, Any]) -> ActionContext:
        return ActionContext(
            command.effect_id,
            scope,
            uncertain=False,
            timeout=self._timeout,
            own_entity=own_entity(command.event.get("source"), command.entity),
            use=Use(command.workflow.owner, command.workflow.id),
            link=Link(command.workflow.id, command.execution_id),
            now=self._clock,
        )

    def _evaluate(
        self,
        conditions: CompiledConditions,
        command: Command,
        scope: dict[str, Any],
        current: Mapping[str, Any] | None,
    ) -> tuple[bool, list[dict[str, Any]]]:
        seen = Scope(
            data=_data(command), event=command.event, now=self._clock(), results=scope["results"], current=current
        )
        try:
            evaluation = conditions.evaluate(seen)
        except WallReachedError as error:
            raise CostlyError(f"conditions: {error}") from None
        return evaluation.met, [verdict.as_json() for verdict in evaluation.verdicts]

    def _note_wall(self, command: Command, *, reached: bool) -> None:
        if reached:
            WALLS.labels("step", "reached").inc()
        if reached and self._penalties is not None:
            self._penalties.reached(_step_of(command))
        elif self._penalties:
            self._penalties.passed(_step_of(command))

    def _controlled(
        self, command: Command, request: StopRequest | DelayRequest, verdicts: list[dict[str, Any]]
    ) -> ActionResult:
        if isinstance(request, StopRequest):
            return self.result(command, "success", output={"reason": request.reason}, verdicts=verdicts, stop=True)
        waits = request.until > self._clock()
        return self.result(
            command,
            "success",
            output={"until": request.until.isoformat()} | ({} if waits else {"passed": True}),
            verdicts=verdicts,
            resume_at=request.until if waits else None,
        )

    def result(
        self,
        command: Command,
        status: Literal["success", "failed", "skipped"],
        *,
        output: dict[str, Any] | None = None,
        error: str | None = None,
        verdicts: list[dict[str, Any]] | None = None,
        uncertain: bool = False,
        **more: Any,
    ) -> ActionResult:
        """Build the step's result; ``more`` are further fields of :class:`schemas.result.ActionResult`."""
        return ActionResult.of(
            {
                **_NOTHING_MORE,
                "step": command.step,
                "action_type": command.action.type,
                "status": status,
                "output": output or {},
                "error": error,
                "executed_at": self._clock(),
                "verdicts": verdicts or [],
                "uncertain": uncertain or command.step in command.doubtful,
                **more,
            }
        )


class DryRunPreparer(Preparer):
    """Prepares what is not carried out: each secret is shown as ``***``."""

    def prepare(
        self,
        step: ResolvedStep,
        current: CurrentValues | None = None,
        secrets: SecretValues = NO_SECRETS,
    ) -> Prepared | ActionResult:
        """Return what would be carried out; of ``secrets`` only the grants count, and one without is open."""
        shown = SecretValues(dict.fromkeys(step.secrets, MASK), grants=secrets.grants)
        return super().prepare(step, current, shown)


def _step_of(command: Command) -> tuple[UUID, int, int]:
    return command.workflow.id, command.workflow.version, command.step


def _with_secrets(context: ActionContext, names: frozenset[str], given: SecretValues) -> ActionContext:
    """Return the context with the secrets that a config uses, and no others.

    Raises:
        ActionFailedError: One has no value, or is not for the workflow; the text says which and why.
    """
    if not names:
        return context
    for name in sorted(names - given.values.keys()):
        raise ActionFailedError(f"secrets.{name}: {given.problems.get(name, 'was not looked up')}", permanent=True)
    grants = {name: given.grants.get(name, EVERYBODY) for name in names}
    for name in sorted(names):
        if not grants[name].lets(context.use):
            raise ActionFailedError(not_granted(name), permanent=True)
    values = {name: given.values[name] for name in names}
    hosts = {name: grant.hosts for name, grant in grants.items() if not grant.anywhere}
    return replace(context, scope={**context.scope, SECRETS_ROOT: values}, secrets=values, hosts=hosts)


def _said(error: Exception, secrets: SecretValues) -> str:
    return redactor_of(frozenset(secrets.values.values())).text(str(error)) if secrets.values else str(error)


def _data(command: Command) -> dict[str, Any]:
    return command.event.get("data") or {}


def _scope(command: Command, *, results: bool) -> dict[str, Any]:
    """What templates and conditions see: the data by its own names, then what is ours; ``results`` if they look."""
    ended = command.results if results else ()
    return {
        **_data(command),
        "event": command.event,
        "results": [{**result.__dict__, "executed_at": result.executed_at.isoformat()} for result in ended],
        "workflow": {
            "id": str(command.workflow.id),
            "name": command.workflow.name,
            "version": command.workflow.version,
        },
        "execution": {"id": str(command.execution_id), "attempt": command.attempt},
    }
