"""Executions over their owner's quota, on their way to where they wait: those of one event and one owner in a record.

What the commands have in common, the event above all, is in it once: one event can be over the quota for as many
workflows as its owner has for its type.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError

from app.domain.errors import PoisonError
from schemas.base import Contract
from schemas.field_errors import field_errors
from schemas.incoming import MAX_SLIP_NESTING, Incoming, load_object

REASON: Final = "invalid_held_runs"


class _Workflow(BaseModel):
    id: UUID


class _Command(BaseModel):
    """What is looked at of a command; the rest is checked by the executor that carries it out."""

    execution_id: UUID
    workflow: _Workflow


class HeldRun(Contract):
    """One execution that waits.

    Attributes:
        topic: Where its first command goes when its time has come.
        due: When it may start.
        command: The command's fields but for those that all have in common.
    """

    topic: Annotated[str, Field(min_length=1, max_length=249)]
    due: datetime
    command: dict[str, Any]

    @property
    def ids(self) -> tuple[UUID, UUID]:
        """The execution's id, and its workflow's.

        Raises:
            ValidationError: The command has none.
        """
        command = _Command.model_validate(self.command)
        return command.execution_id, command.workflow.id


class HeldRuns(Contract):
    """The executions of one event and one owner.

    Attributes:
        owner: Whose quota is used up.
        reason: Why they wait, for people.
        common: The fields that the commands have in common.
        runs: The executions.
    """

    v: Literal[1] = 1
    owner: UUID
    reason: Annotated[str, Field(max_length=500)]
    common: dict[str, Any]
    runs: Annotated[list[HeldRun], Field(min_length=1)]


def read_held_runs(record: Incoming) -> HeldRuns:
    """Return the executions in a record.

    Raises:
        PoisonError: It holds none.
    """
    if record.key is None or record.value is None:
        raise PoisonError(REASON, f"{'key' if record.key is None else 'value'}: is missing")
    try:
        return HeldRuns.model_validate(load_object(record.value, max_nesting=MAX_SLIP_NESTING))
    except ValidationError as error:
        raise PoisonError.naming(REASON, field_errors(error, HeldRuns)) from None
