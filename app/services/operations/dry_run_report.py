"""What a dry run is told and what it answers."""

from typing import Any, Literal

from pydantic import Field

from schemas.base import Contract
from schemas.execution import Status


class SimulatedResult(Contract):
    """What a step shall be taken to come to, where a later step's conditions or templates look at it."""

    status: Literal["success", "failed"] = "success"
    output: dict[str, Any] = Field(default_factory=dict)
    error: str | None = None


class EntryReport(Contract):
    """What would be asked before the workflow runs, where its re-entry is bounded; it has not been asked.

    Attributes:
        key: The field that is counted by; empty where the entity is.
        value: What the event has there, or its entity; None where it has nothing that counts.
        how_often: How often the same value may enter.
        error: Why the event cannot enter.
    """

    key: str
    value: str | None
    how_often: str
    error: str | None = None


class ReachReport(Contract):
    """What the address guard makes of where a webhook goes; redirects are judged when they come.

    Attributes:
        verdict: ``private`` is let through here; ``refused`` is not; ``unresolved`` has no address now.
    """

    host: str
    verdict: Literal["public", "private", "refused", "unresolved"]
    why: str


class Destination(Contract):
    """Whom or what a step would reach.

    Attributes:
        kind: What ``address`` is.
        address: Rendered, each secret as ``***``. Of a channel its name: its URL is for executors alone.
        service: What a channel leads to, such as ``Slack``.
    """

    kind: Literal["email", "phone", "whatsapp", "channel", "inbox", "url"]
    address: str
    service: str | None = None


class StepReport(Contract):
    """What one action would do.

    Attributes:
        step: Position in the order in which the actions run, from 0.
        runs: Whether it would be carried out: the event matches, conditions hold, nothing before it ends the run.
        status: What it comes to in this run, the simulated result included.
        error: Why it fails or is skipped.
        would_send: The rendered and checked request, also of a step that does not run; None where it cannot be made.
        goes_to: Whom or what that would reach.
        reach: Whether a webhook may go where it leads; None for other actions, and where a secret is the host.
        verdicts: The verdicts of the step's own conditions.
    """

    step: int
    order: int
    type: str
    runs: bool
    status: Literal["success", "failed", "skipped"]
    error: str | None = None
    would_send: Any = None
    goes_to: list[Destination] = Field(default_factory=list)
    reach: ReachReport | None = None
    verdicts: list[dict[str, Any]] = Field(default_factory=list)


class DryRun(Contract):
    """What a workflow would make of an event; nothing of it happened, and nothing is stored.

    Attributes:
        matched: Whether the event is one that the trigger asks for.
        current: What steps have looked up as ``current``, or were given.
        entry: What would be asked about the re-entry; None where it is not bounded.
        status: How the execution would end; None where there would be none.
        open_to: Which private networks webhooks may reach here, in words; None: none.
    """

    matched: bool
    conditions_met: bool
    status: Status | None
    explanation: str
    event: dict[str, Any]
    current: dict[str, Any] = Field(default_factory=dict)
    entry: EntryReport | None = None
    open_to: str | None = None
    verdicts: list[dict[str, Any]]
    steps: list[StepReport]
