"""Where an execution goes: from what its steps have come to, to a node, to a wait, or to its end.

The only place that says so; executors carry out what is answered. A node is named by its id. Today's revisions are
lists of actions, whose ids are their positions; a revision of branches answers ``after`` in its own way, and nothing
else changes for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from app.domain.statuses import ExecutionStatus, conclude

NodeId = str

TIMED_OUT: Final = "the execution's time is used up"


class Outcome(Protocol):
    """What a node came to."""

    @property
    def node(self) -> NodeId:
        """Which node it was."""

    @property
    def status(self) -> str:
        """How it ended, one of :class:`app.domain.statuses.ActionStatus`."""

    @property
    def stop(self) -> bool:
        """Whether it asked for the end of the execution."""

    @property
    def timed_out(self) -> bool:
        """Whether it used the execution's time up."""

    @property
    def resume_at(self) -> datetime | None:
        """When what comes after it may begin; None: at once."""


class Revision(Protocol):
    """What an execution follows."""

    @property
    def begins_at(self) -> NodeId | None:
        """The first node; None where there is none."""

    def after(self, came_to: Outcome, /) -> NodeId | None:
        """Return the node that comes after one, as it ended; None where none does.

        Raises:
            KeyError: The revision has no such node.
        """

    def breaks_off(self, came_to: Outcome, /) -> bool:
        """Whether the execution ends, as failed, with what a node came to.

        Raises:
            KeyError: The revision has no such node.
        """


@dataclass(frozen=True, slots=True)
class Goto:
    """Carry a node out."""

    node: NodeId


@dataclass(frozen=True, slots=True)
class End:
    """The execution has ended.

    Attributes:
        status: How.
        left_out: Why the nodes that it did not come to were not run; None where it came to its end.
        fault: The node whose error is the execution's; None: the first that failed.
    """

    status: ExecutionStatus
    left_out: str | None = None
    fault: NodeId | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on at a time, not before."""

    until: datetime
    then: Goto | End


Way = Goto | Wait | End


def next(revision: Revision, results: Sequence[Outcome]) -> Way:  # noqa: A001 - read as route.next
    """Say where an execution goes.

    Args:
        revision: What it follows.
        results: What its nodes have come to so far, in the order in which they ended.

    Raises:
        KeyError: The last result is of no node of the revision.
    """
    if not results:
        return _to(revision.begins_at, results)
    last = results[-1]
    ended = _early_end(revision, last)
    if ended is not None:
        return ended
    then = _to(revision.after(last), results)
    return then if last.resume_at is None else Wait(last.resume_at, then)


def _to(node: NodeId | None, results: Sequence[Outcome]) -> Goto | End:
    return End(conclude(result.status for result in results)) if node is None else Goto(node)


def _early_end(revision: Revision, last: Outcome) -> End | None:
    if last.stop:
        return End(ExecutionStatus.STOPPED, f"stopped by step {last.node}")
    if last.timed_out:
        return End(ExecutionStatus.TIMED_OUT, TIMED_OUT)
    if revision.breaks_off(last):
        why = f"not run, because step {last.node} failed and its on_error is stop"
        return End(ExecutionStatus.FAILED, why, last.node)
    return None
