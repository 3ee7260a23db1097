"""What the statements of the receipts take and give, in the words of ``app.ports``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import errors

from app.adapters.postgres import literals
from app.domain.errors import SupersededError
from app.ports import Busy, Claim, Done, Dropped

FREE: Final = 0
CLAIMED: Final = 1
DONE: Final = 2
RECEIPTS_KEY: Final = "receipts_pkey"
_EXECUTIONS_KEY: Final = "execution_keys_pkey"
_LONGEST_PAUSE: Final = 64
# Who holds a live lease will mostly be done long before it ends.
SOONEST_S: Final = 0.05
_LATEST_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Owner:
    """A process: its instance's name and which incarnation of it."""

    instance: str
    incarnation: int


class Novelty:
    """Whether a batch is taken to be new: until one was not, then again after some batches, more of them each time."""

    def __init__(self) -> None:
        self._left = 0
        self._pause = 1

    def expected(self) -> bool:
        """Tell whether to take the next batch to be new."""
        self._left = max(self._left - 1, -1)
        return self._left < 0

    def confirmed(self) -> None:
        """Note that a batch was new."""
        self._pause = 1

    def refuted(self) -> None:
        """Note that one was not."""
        self._left = self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)


def was_there(error: errors.UniqueViolation) -> bool:
    """Tell whether a receipt or an execution's key was there already, rather than anything else."""
    return error.diag.constraint_name in {RECEIPTS_KEY, _EXECUTIONS_KEY}


def columns(claims: Sequence[Claim]) -> tuple[object, ...]:
    """Return a batch's columns as arrays, in the order that the statements name them."""
    return (
        literals.uuids(claim.command_id for claim in claims),
        literals.uuids(claim.execution_id for claim in claims),
        literals.integers(claim.version for claim in claims),
        literals.integers(claim.attempt for claim in claims),
        literals.timestamps(claim.matched_at for claim in claims),
        literals.booleans(claim.first for claim in claims),
        literals.integers(claim.parked for claim in claims),
    )


def check_newest(owner: Owner, newest: bool) -> None:  # noqa: FBT001 - a column of the statements
    """Refuse to work for a process whose instance runs anew elsewhere.

    Raises:
        SupersededError: It does.
    """
    if not newest:
        raise SupersededError(f"a newer process of {owner.instance} runs")


def check_execution(claim: Claim, version: int | None, attempt: int | None) -> Dropped | None:
    """Hold a first step's claim against its execution's version and attempt; None for both: it is a later step's."""
    if version is None or attempt is None:
        return None
    if claim.attempt < attempt:
        return Dropped("attempt")
    return Dropped("version") if claim.version != version else None


def refusal(claim: Claim, obstacle: tuple[Any, ...] | None) -> Done | Busy | Dropped:
    """Say why a claim was not granted, from its receipt (state, parked, seconds of lease left, result)."""
    state, parked, left, result = obstacle or (FREE, 0, None, None)
    if state == DONE:
        return Done(claim.matched_at, result)
    if claim.parked < parked:
        return Dropped("parked")
    # Free by now: it was given back between two statements.
    return Busy(min(max(left or 0.0, SOONEST_S), _LATEST_S))


def by_id(rows: Sequence[tuple[Any, ...]]) -> dict[UUID, tuple[Any, ...]]:
    """Index rows by their first column."""
    return {row[0]: row[1:] for row in rows}
