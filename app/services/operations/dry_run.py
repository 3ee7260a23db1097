"""Dry runs: what a workflow would make of an event, without any effect or row.

The rules are those that run in earnest: the workflow is compiled and judged as the matcher does it, and each step is
prepared by its action, which renders its templates and checks what comes out. Only the effect is left out; what it
would have answered is simulated.

What its owner may counts as it does in earnest, but for one thing: a caller who tries a workflow made its event up, so
that ``current`` is looked up only for one who may read customers.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import uuid4

from app.actions.steps import ResolvedStep, resolve
from app.actions.webhook import WebhookRequest
from app.domain import route
from app.domain.callers import Caller
from app.domain.errors import ActionFailedError
from app.domain.evaluate import Outcome, Plan, Trigger
from app.domain.grants import Use
from app.domain.redaction import MASK
from app.domain.statuses import ExecutionStatus, conclude
from app.ports import SecretGrants, SecretValues
from app.ports.channels import ChannelDirectory, KnownChannel
from app.ports.dry_run import CurrentSource, CurrentValues, PreparedStep, StepPreparer
from app.ports.reach import Reach, ReachJudge
from app.ports.workflows import Reference
from app.services.access.cpu_budget import breathe
from app.services.access.owner_rights import RightsOfCaller
from app.services.operations.destinations import goes_to
from app.services.operations.dry_run_report import DryRun, EntryReport, ReachReport, SimulatedResult, StepReport
from app.services.operations.explanations import explain
from app.services.operations.plain_values import plain
from app.services.operations.tried_event import NOBODYS, compiled, entry_report, judged, tried_event
from app.services.workflows.index import CompiledWorkflow
from app.services.workflows.references import channel_named
from schemas.command import Command
from schemas.result import ActionResult
from schemas.workflow import WorkflowDraft

# For all names that a run's webhooks go to; a name server that is slow makes a trial no slower than that.
_LOOK_UPS_S: Final = 3.0
_SHORTEST_LOOK_UP_S: Final = 0.05


@dataclass(slots=True)
class _Run:
    """The run so far: its command, who tries it, and whether it still goes on."""

    command: Command
    caller: Caller
    going: bool
    given: Mapping[str, Any]
    early: route.End | None = None  # where it does not come to its end
    current: dict[str, Any] = field(default_factory=dict)
    reached: dict[str, Reach | None] = field(default_factory=dict)  # verdicts by URL
    judged_until: float = field(default_factory=lambda: time.monotonic() + _LOOK_UPS_S)
    steps: list[StepReport] = field(default_factory=list)


class DryRunner:
    """Makes dry runs.

    Args:
        preparers: What prepares a step, by action type.
        current: Looks up what steps ask for.
        grants: Knows who may use which secret.
        channels: Knows channels.
        judge: Knows where webhooks may go.
    """

    def __init__(
        self,
        preparers: Mapping[str, StepPreparer[ResolvedStep, Any]],
        current: CurrentSource[ResolvedStep],
        grants: SecretGrants,
        channels: ChannelDirectory,
        judge: ReachJudge,
    ) -> None:
        self._preparers = preparers
        self._current = current
        self._grants = grants
        self._channels = channels
        self._judge = judge

    async def run(
        self,
        draft: WorkflowDraft,
        attributes: Mapping[str, Any],
        simulated: Mapping[int, SimulatedResult],
        current: Mapping[str, Any],
        use: Use = NOBODYS,
        *,
        caller: Caller,
    ) -> DryRun:
        """Try a workflow on an event.

        Args:
            draft: The workflow, checked.
            attributes: CloudEvents attributes; those left out are made up, the type from the trigger.
            simulated: What steps shall come to, by their position; without: success, with an empty output.
            current: What ``current`` shall be taken to be, by name; what is left out is looked up.
            use: Which workflow it is, and whose: what it may use.
            caller: Who tries it: what they may counts.

        Raises:
            InvalidError: The event breaks the contract.
        """
        workflow, trigger = compiled(draft, use), tried_event(draft, use, attributes)
        made, matched = judged(trigger, workflow)
        going = matched and made.outcome is Outcome.RUNS
        run = _Run(_command(made, trigger), caller, going=going, given=current)
        for _ in run.command.workflow.actions:
            await breathe()
            await self._step(run, simulated)
        return _report(run, made, entry_report(trigger, workflow), self._judge.open_to, matched=matched)

    async def _step(self, run: _Run, simulated: Mapping[int, SimulatedResult]) -> None:
        command = run.command
        step = resolve(command)
        preparer, current = self._preparers[command.action.type], await self._look(run, step)
        secrets = await self._secrets(step)
        made = preparer.prepare(step, current, secrets)
        if not isinstance(made, ActionResult):
            made = preparer.permitted(made, run.caller)
        channel = await self._channel(command)
        if isinstance(channel, ActionResult) and not isinstance(made, ActionResult):
            made = channel
        request = _request(preparer, step, made, current, secrets)
        reach = await self._reach(run, made)
        if reach is not None and reach.verdict == "refused":
            made = _ended(command, "failed", error=reach.why, attempts=1)
        result = made if isinstance(made, ActionResult) else _simulate(command, made, simulated.get(command.step))
        runs = run.going and result.status != "skipped"
        error = result.error if run.going else _why_not(run)
        run.steps.append(
            StepReport(
                step=command.step,
                order=command.action.order,
                type=command.action.type,
                runs=runs,
                status=result.status if run.going else "skipped",
                error=error if run.going or result.status != "failed" else f"{error}; it would fail: {result.error}",
                would_send=plain(request),
                goes_to=goes_to(request, channel.service if isinstance(channel, KnownChannel) else None),
                reach=None if reach is None else ReachReport.model_validate(reach, from_attributes=True),
                verdicts=result.verdicts,
            )
        )
        command.results = [*command.results, result]
        command.step += 1
        if run.going:
            way = route.next(command.workflow, command.results)
            if isinstance(way, route.End) and way.left_out is not None:
                run.going, run.early = False, way

    async def _reach(self, run: _Run, made: PreparedStep | ActionResult) -> Reach | None:
        """Return what the address guard makes of where a prepared webhook goes; None for anything else."""
        request = None if isinstance(made, ActionResult) else made.request
        if not isinstance(request, WebhookRequest) or MASK in request.http.url.partition("://")[2].partition("/")[0]:
            return None
        url = request.http.url
        if url not in run.reached:
            left = max(run.judged_until - time.monotonic(), _SHORTEST_LOOK_UP_S)
            run.reached[url] = await self._judge.judge(url, within=left)
        return run.reached[url]

    async def _channel(self, command: Command) -> KnownChannel | ActionResult | None:
        """Return a step's channel, if it has one; what it comes to where that is not there, or not for the workflow."""
        name, workflow = channel_named(command.action), command.workflow
        if name is None:
            return None
        known = (await self._channels.of([name])).get(name)
        if known is not None and known.grant.lets(Use(workflow.owner, workflow.id)):
            return known
        return _ended(command, "failed", error=Reference("channel", "channel", name).missing.message, attempts=0)

    async def _secrets(self, step: ResolvedStep) -> SecretValues:
        return SecretValues(grants=await self._grants.of(step.secrets) if step.secrets else {})

    async def _look(self, run: _Run, step: ResolvedStep) -> CurrentValues | None:
        (found,) = await self._current.of([step], RightsOfCaller(run.caller), chosen=True)
        if found is None or (isinstance(found, ActionFailedError) and not run.given):
            return found
        current = {**(found if isinstance(found, Mapping) else {}), **run.given}
        run.current |= current
        return current


def _why_not(run: _Run) -> str:
    if run.early is None:
        return "the workflow would not run"
    stopped = run.early.status is ExecutionStatus.STOPPED
    return "the run has been stopped before it" if stopped else str(run.early.left_out)


def _request(
    preparer: StepPreparer[ResolvedStep, Any],
    step: ResolvedStep,
    made: PreparedStep | ActionResult,
    current: CurrentValues | None,
    secrets: SecretValues,
) -> Any:
    if not isinstance(made, ActionResult):
        return made.request
    if made.status != "skipped":
        return made.output if made.status == "success" else None
    # Skipped by its own conditions: rendered all the same, so that a mistake in it shows.
    bare = step.unconditional()
    made = preparer.prepare(bare, current, secrets)
    return _request(preparer, bare, made, current, secrets)


def _simulate(command: Command, made: PreparedStep, wanted: SimulatedResult | None) -> ActionResult:
    wanted = wanted or SimulatedResult()
    error = wanted.error or ("simulated" if wanted.status == "failed" else None)
    return _ended(command, wanted.status, output=wanted.output, error=error, attempts=1, verdicts=made.verdicts)


def _ended(command: Command, status: Literal["success", "failed"], **more: Any) -> ActionResult:
    now = datetime.now(UTC)
    return ActionResult(step=command.step, action_type=command.action.type, status=status, executed_at=now, **more)


def _command(made: Plan[CompiledWorkflow], trigger: Trigger) -> Command:
    return Command(
        execution_id=uuid4(),
        entity=trigger.entity,
        workflow=made.workflow.pinned,
        event=dict(trigger.envelope),
        matched_at=datetime.now(UTC),
        verdicts=made.verdicts,
    )


def _report(
    run: _Run, made: Plan[CompiledWorkflow], entry: EntryReport | None, open_to: str | None, *, matched: bool
) -> DryRun:
    status: str | None = None
    why = "Would not run: the event is none that its trigger asks for."
    if matched:
        early = run.early and run.early.status
        status = made.outcome.status or early or conclude(step.status for step in run.steps)
        shown = [_as_reported(result, step) for result, step in zip(run.command.results, run.steps, strict=True)]
        why = explain(status, conditions_met=made.met, verdicts=made.verdicts, results=shown, error=made.why)
    return DryRun.model_validate(
        {
            "matched": matched,
            "conditions_met": made.met,
            "status": status,
            "explanation": why,
            "event": run.command.event,
            "current": run.current,
            "entry": entry,
            "open_to": open_to,
            "verdicts": made.verdicts,
            "steps": run.steps,
        }
    )


def _as_reported(result: ActionResult, step: StepReport) -> ActionResult:
    return result.model_copy(update={"status": step.status, "error": step.error})
