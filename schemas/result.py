"""What one step of an execution came to."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from app.domain.route import NodeId
from schemas.base import Contract, stored_size

# With MAX_ACTIONS steps (50) an execution's results have at most 200 KiB.
MAX_RESULT_BYTES: Final = 4096
_CUT_ERROR_CHARS: Final = 400  # of six bytes each at most: what JSON escapes
_CUT_ERROR_ASCII_CHARS: Final = 1000


class ActionResult(Contract):
    """The outcome of one action, and why.

    Attributes:
        step: Position in the workflow's actions, from 0.
        attempts: Attempts at the effect; 0 where none was made.
        uncertain: An earlier claim was left unfinished by a crash, or nobody knows what an attempt came to: the effect
            may have happened, or twice, with the same Idempotency-Key or Message-ID.
        output: What later steps see as ``results[step].output``; at most 4 KiB, cut with ``{"cut": true}``.
        stop: The execution ends here, by ``stop_workflow``.
        resume_at: What comes after it begins then; None: at once.
        timed_out: The execution's time was used up; it ends here.
        duration_ms: Attempts and backoffs together.
        error: Why it failed, or why it was skipped.
    """

    step: Annotated[int, Field(ge=0)]
    action_type: str
    status: Literal["success", "failed", "skipped"]
    output: dict[str, Any] = Field(default_factory=dict)
    error: str | None = None
    attempts: int = 0
    uncertain: bool = False
    stop: bool = False
    timed_out: bool = False
    resume_at: datetime | None = None
    executed_at: datetime
    duration_ms: int = 0
    verdicts: list[dict[str, Any]] = Field(default_factory=list)

    @property
    def node(self) -> NodeId:
        """The node of the revision that it is of; in a list of actions its position."""
        return str(self.step)

    def bounded(self) -> "ActionResult":
        """Return the result itself if it has at most 4 KiB as slips hold it, else without what takes the room."""
        return self if stored_size(self.encode()) <= MAX_RESULT_BYTES else self.cut()

    def cut(self) -> "ActionResult":
        """Return the result without its output and verdicts, and the beginning of its error."""
        error = self.error and self.error[:_CUT_ERROR_ASCII_CHARS]
        if error is not None and not (error.isascii() and error.isprintable()):
            error = error[:_CUT_ERROR_CHARS]
        return self.model_copy(update={"output": {"cut": True}, "error": error, "verdicts": []})
