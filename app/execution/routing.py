"""The routing slip's way: a command, its step's result, and where the slip goes next (docs/design.md#1-flow)."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import orjson
from pydantic import ValidationError

from app.domain import route
from app.domain.clock import utc_now
from app.domain.errors import PoisonError
from app.domain.statuses import ExecutionStatus
from app.ports import Claim, Record, Refusal, owner_header
from app.ports.cancelling import Cancelled, Copy
from app.topics import Topics
from schemas.base import encode
from schemas.command import Command, read_pinned
from schemas.event import CUT
from schemas.execution import MOST_COUNTED, Execution
from schemas.fast_reader import FastReader
from schemas.field_errors import field_errors
from schemas.incoming import MAX_SLIP_NESTING, Incoming, load_object
from schemas.result import ActionResult
from schemas.workflow import Action

_MAX_ERROR = 1000
_COMMANDS: Final = FastReader(Command, apart=("workflow",))


def read_command(record: Incoming, action_type: str) -> Command:
    """Decode the command off a record.

    Raises:
        PoisonError: It is no command, or not one for ``action_type``.
    """
    if record.value is None:
        raise PoisonError("tombstone", "the record has no value")
    try:
        command = _decode(load_object(record.value, max_nesting=MAX_SLIP_NESTING))
    except ValidationError as error:
        raise PoisonError.naming("invalid_command", field_errors(error, Command)) from None
    if command.step >= len(command.workflow.actions):
        raise PoisonError("invalid_command", f"step: there are only {len(command.workflow.actions)} actions")
    if command.action.type != action_type:
        raise PoisonError(
            "invalid_command", f"step {command.step} is {command.action.type}, this topic's {action_type}"
        )
    return command


def _decode(fields: dict[str, Any]) -> Command:
    """Check a command; most of its parts are its workflow's, and those were checked with the last command of it."""
    try:
        workflow = read_pinned(orjson.dumps(fields.get("workflow")))
    except ValidationError:  # let the whole command say where it is wrong
        return Command.model_validate(fields)
    return _COMMANDS.read(fields, workflow=workflow) or Command.model_validate({**fields, "workflow": workflow})


def claim_of(command: Command) -> Claim:
    """Build the claim on a command's receipt."""
    return Claim(
        command_id=command.id,
        execution_id=command.execution_id,
        version=command.workflow.version,
        attempt=command.attempt,
        matched_at=command.matched_at,
        first=command.step == 0,
        parked=command.parked,
    )


@dataclass(frozen=True, slots=True)
class Router:
    """Sends slips on their way.

    Attributes:
        topics: Where they go.
        known: The action types that have topics.
        now: The time of day.
    """

    topics: Topics
    known: Container[str]
    now: Callable[[], datetime] = utc_now

    def first(self, command: Command, cause: Incoming | None = None) -> Record:
        """Return the record that starts an execution; ``cause`` is what it follows from."""
        return self._send(command, self._passed_over(command, route.next(command.workflow, command.results)), cause)

    def way(self, command: Command, result: ActionResult) -> route.Way:
        """Say where a slip goes after its step has come to ``result``; changes nothing."""
        return route.next(command.workflow, [*command.results, result])

    def after(
        self, command: Command, result: ActionResult, *, way: route.Way | None = None, cause: Incoming | None = None
    ) -> Record:
        """Return the slip with ``result`` appended, bound for the next step, or for the log after the last one.

        Args:
            command: The slip, which goes on and so changes.
            result: What its step has come to.
            way: What :meth:`way` says of both, where that was asked.
            cause: The record that this one follows from.
        """
        way = way or self.way(command, result)
        command.results = [*command.results, result.bounded()]
        command.parked, command.tried, command.tried_s, command.waits_since = 0, 0, 0.0, None
        if isinstance(way, route.Wait):
            command.event_at = None
        return self._send(command, self._passed_over(command, way), cause)

    def again(self, command: Command, cause: Incoming | None = None) -> Record:
        """Return the record of a step that is to be tried again."""
        topic, owner = self.topics.actions(command.action.type, command.lane), command.workflow.owner
        return Record(topic, command.entity.encode(), command.encode(), owner_header(owner), cause)

    def cancelled(self, waiting: Record, reason: str) -> Cancelled:
        """Return the end of an execution whose next record ``waiting`` is not to be sent: stopped, and why."""
        if waiting.topic == self.topics.executions:
            execution = orjson.loads(waiting.value or b"{}") | {"status": ExecutionStatus.STOPPED, "error": reason}
            return Cancelled(Record(waiting.topic, waiting.key, encode(execution)), None)
        command = Command.model_validate_json(waiting.value or b"")
        copy = Copy(command.id, command.execution_id, command.parked)
        self._skip_rest(command, reason)
        return Cancelled(self._finished(command, ExecutionStatus.STOPPED, reason, None), copy)

    def refused(self, record: Record, refusal: Refusal) -> Record | None:
        """Return what is sent instead of a record that Kafka refuses; None where there is nothing.

        Of a slip, the step it is bound for fails, and the slip goes on; a finished execution becomes a row without what
        takes the room. Each is nearer to the end than the one before.
        """
        if record.topic == self.topics.executions:
            return cut_execution(record)
        try:
            command = Command.model_validate_json(record.value or b"")
        except ValidationError:
            return None  # an event, a revision: no execution that could end
        if command.step >= len(command.workflow.actions):
            return None
        failed = ActionResult(
            step=command.step,
            action_type=command.action.type,
            status="failed",
            error=f"its command could not be sent to {record.topic}: {refusal}"[:_MAX_ERROR],
            executed_at=self.now(),
        )
        return self.after(command, failed, cause=record.cause)

    def _passed_over(self, command: Command, way: route.Way) -> route.Goto | route.End:
        """Go past the steps that are not carried out: those that a retry has kept, and those of unknown types."""
        kept = {result.step: result for result in command.kept}
        while True:
            if isinstance(way, route.Wait):  # its timer is set, or what was kept has waited already
                way = way.then
            if isinstance(way, route.End):
                return way
            step = command.workflow.position(way.node)
            action = command.workflow.actions[step]
            if action.type in self.known and step not in kept:
                return way
            command.results = [*command.results, kept.get(step) or self._unknown(action, step)]
            way = route.next(command.workflow, command.results)

    def _send(self, command: Command, way: route.Goto | route.End, cause: Incoming | None) -> Record:
        """Return the record that takes the slip on its way."""
        if isinstance(way, route.Goto):
            command.step = command.workflow.position(way.node)
            return self.again(command, cause)
        fault = None
        if way.left_out is not None:
            fault = next((result for result in command.results if result.node == way.fault), None)
            command.step = command.results[-1].step + 1
            self._skip_rest(command, way.left_out)
        return self._finished(command, way.status, None if fault is None else _named(fault), cause)

    def _unknown(self, action: Action, step: int) -> ActionResult:
        return ActionResult(
            step=step,
            action_type=action.type,
            status="failed",
            error=f"this installation has no action type {action.type}",
            executed_at=self.now(),
        )

    def _skip_rest(self, command: Command, reason: str) -> None:
        now = self.now()
        kept = {result.step: result for result in command.kept}
        rest = enumerate(command.workflow.actions[command.step :], command.step)
        skipped = [
            kept.get(step)
            or ActionResult(step=step, action_type=action.type, status="skipped", error=reason, executed_at=now)
            for step, action in rest
        ]
        command.results = [*command.results, *skipped]

    def _finished(self, command: Command, status: ExecutionStatus, error: str | None, cause: Incoming | None) -> Record:
        began = command.retried_at or command.matched_at
        execution = {
            "v": 1,
            "execution_id": command.execution_id,
            "attempt": command.attempt,
            "workflow_id": command.workflow.id,
            "version": command.workflow.version,
            "entity": command.entity,
            "event": command.event,
            "conditions_met": True,
            "verdicts": command.verdicts,
            "results": command.results,
            "status": status,
            "error": error or _first_error(command.results),
            "executed_at": command.matched_at,
            # Of one that waited for weeks, as much as the log's column holds.
            "duration_ms": min(max(0, round((self.now() - began).total_seconds() * 1000)), MOST_COUNTED),
        }
        for name in ("event_at", "traceparent", "tracestate"):
            if (value := getattr(command, name)) is not None:
                execution[name] = value
        return Record(self.topics.executions, command.entity.encode(), encode(execution), cause=cause)


def _first_error(results: Sequence[ActionResult]) -> str | None:
    return next((_named(result) for result in results if result.status == "failed"), None)


def _named(result: ActionResult) -> str:
    return f"step {result.step} ({result.action_type}): {result.error}"


def cut_execution(record: Record) -> Record | None:
    """Return an execution's record without its event's data and outputs; None if cut already, or no execution."""
    try:
        read = Execution.model_validate_json(record.value or b"")
    except ValidationError:
        return None  # a row of the outbox may hold anything
    if CUT in read.event:
        return None
    kept = {name: read.event[name] for name in ("specversion", "id", "source", "type", "time") if name in read.event}
    shorter: dict[str, Any] = {
        "event": {**kept, CUT: True},
        "verdicts": [],
        "results": [result.cut() for result in read.results],
    }
    execution: dict[str, Any] = orjson.loads(record.value or b"")
    return replace(record, value=encode(execution | shorter))


def result_json(result: ActionResult) -> dict[str, Any]:
    """Return a result as plain JSON values, as its receipt stores it."""
    loaded: dict[str, Any] = orjson.loads(result.encode())
    return loaded
