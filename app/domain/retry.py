"""Retry as a decision: the policy says wait or give up, the worker carries it out (docs/design.md#5-retries)."""

from dataclasses import dataclass
from typing import Final

MULTIPLIER: Final = 2.0
MAX_DELAY_S: Final = 30.0

# Of the 4xx answers those after which the same request may be taken (RFC 9110, 8470, 6585).
RETRYABLE_STATUSES: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Bounded exponential backoff.

    Attributes:
        max_retries: Retries after the first attempt (ACTION_RETRY_MAX_ATTEMPTS).
        initial_delay: Seconds before the first retry (ACTION_RETRY_INITIAL_DELAY).
        longest_hold: Seconds of backoff that are sat out at once; what is to wait longer is parked.
        max_jitter: Share of a backoff that chance may take off (HEADRACE_RETRY_JITTER); 0: none.
        budget: Seconds that an execution's attempts and backoffs may take in all (WORKFLOW_EXECUTION_TIMEOUT).
    """

    max_retries: int = 3
    initial_delay: float = 1.0
    longest_hold: float = 5.0
    max_jitter: float = 0.1
    budget: float = 30.0


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again after ``seconds``; ``parked``: too long to sit out."""

    seconds: float
    parked: bool = False


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further attempt; ``reason`` says why. ``timed_out``: the execution's time is used up."""

    reason: str
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt: ``attempts`` made so far, and the seconds the execution has ``spent``."""

    attempts: int
    spent: float
    permanent: bool = False
    retry_after: float | None = None


def decide(policy: RetryPolicy, failure: Failure, *, attempt_timeout: float, jitter: float = 0.0) -> Wait | GiveUp:
    """Say what follows a failed attempt.

    Args:
        policy: The bounds of retries.
        failure: The attempt that failed.
        attempt_timeout: Seconds the next attempt may take; it must still fit the budget.
        jitter: 0 to 1, from the caller's random source; it can only shorten a backoff, never a Retry-After.
    """
    if failure.permanent:
        return GiveUp("trying again cannot help")
    if failure.attempts > policy.max_retries:
        return GiveUp(f"failed {failure.attempts} times")
    backoff = min(policy.initial_delay * MULTIPLIER ** (failure.attempts - 1), MAX_DELAY_S)
    delay = max(backoff * (1 - policy.max_jitter * jitter), failure.retry_after or 0.0)
    parked = delay > policy.longest_hold
    # Parking does not count against the execution's time.
    if failure.spent + (0.0 if parked else delay) + attempt_timeout > policy.budget:
        return GiveUp(f"the next attempt would not end within the {policy.budget:g} s an execution has", timed_out=True)
    return Wait(delay, parked)
