"""Receipts of commands: what makes an effect happen once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from app.ports.crm import Crm
from app.ports.timers import Timer, Timers


@dataclass(frozen=True, slots=True)
class Claim:
    """What a command's receipt is made of.

    ``first`` marks an execution's first step, whose claim fixes the execution's version and ``matched_at``.
    """

    command_id: UUID
    execution_id: UUID
    version: int
    attempt: int
    matched_at: datetime
    first: bool
    parked: int = 0


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claim is ours: carry the effect out. ``uncertain``: an earlier claim was left unfinished."""

    matched_at: datetime
    uncertain: bool


@dataclass(frozen=True, slots=True)
class Done:
    """Carried out before: skip the effect, forward this result (the JSON of an ActionResult)."""

    matched_at: datetime
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Busy:
    """Another process holds a live lease; ask again after ``retry_after`` seconds."""

    retry_after: float


@dataclass(frozen=True, slots=True)
class Dropped:
    """This copy must not run: ``reason`` is ``version``, ``attempt`` or ``parked``; count it, then ack."""

    reason: str


ClaimOutcome = Claimed | Done | Busy | Dropped


@dataclass(frozen=True, slots=True)
class EffectTransaction:
    """What effects on our own Postgres can change, all in one transaction."""

    crm: Crm
    timers: Timers


@dataclass(frozen=True, slots=True)
class Park:
    """Let a claimed command wait.

    Attributes:
        timer: Sends its next copy.
        parked: The number that this copy carries as its ``parked``.
        uncertain: Whether an attempt was made whose effect may have happened.
    """

    timer: Timer
    parked: int
    uncertain: bool


TransactionalEffect = Callable[[EffectTransaction, Sequence[int]], Awaitable[dict[int, dict[str, Any]]]]


class Receipts(Protocol):
    """Receipts of commands: what makes an effect happen once (docs/design.md#4-receipts)."""

    async def claim(self, claims: Sequence[Claim]) -> list[ClaimOutcome]:
        """Claim outside effects with a lease, one outcome per claim, in order.

        Raises:
            SupersededError: A newer incarnation of this instance runs.
        """

    async def finish(self, results: Sequence[tuple[UUID, dict[str, Any]]]) -> list[dict[str, Any] | None]:
        """Store results of commands this process holds; returns for each the result that counts.

        Where the lease was lost meanwhile it is the result that the new holder stored. None: it has stored none yet, so
        nothing may be forwarded, and the command is to be claimed again.
        """

    async def release(self, command_ids: Sequence[UUID], *, uncertain: bool) -> None:
        """Give claims back while no attempt is under way: the next claim succeeds at once.

        It is ``uncertain`` where an attempt was made whose effect may have happened.
        """

    async def park(self, parks: Sequence[Park]) -> None:
        """Give claims back and set the timers of their next copies, in one transaction.

        A command that this process holds no more is left to the process that took it over.
        """

    async def apply(self, claims: Sequence[Claim], effect: TransactionalEffect) -> list[ClaimOutcome]:
        """Carry out effects on our own Postgres and store their results, all in one transaction.

        ``effect(transaction, indexes)`` is called with the positions of those claims that were not carried out before
        and returns their results by position. The outcomes are ``Done`` (now or before) or ``Dropped``.

        Raises:
            psycopg.Error: Nothing of the batch happened.
        """
