"""What the executors count."""

from typing import Final

from app.metrics.families import Families

FAMILIES: Final = Families("the executors")

_TYPES: Final = "the action types of the role's family"

ACTIONS: Final = FAMILIES.counter(
    "headrace_actions_total",
    "Actions carried out, by type and outcome; retried: attempts that another follows",
    action_type=_TYPES,
    outcome=("success", "failed", "skipped", "retried"),
)
RETRIES: Final = FAMILIES.counter(
    "headrace_action_retries_total", "Attempts that failed and are made again, at once or later", action_type=_TYPES
)
MATCH_TO_STEP: Final = FAMILIES.histogram(
    "headrace_match_to_step_seconds",
    "From matching an event to when an executor took the execution's first step in hand; of the executions whose"
    " event_to_row is observed, and no copies that were parked",
)
STEP: Final = FAMILIES.histogram(
    "headrace_step_seconds",
    "From when an executor took a step in hand to its result's being durable: claim, attempts and the backoffs between"
    " them; what was parked before is left out, and steps that were skipped",
    action_type=_TYPES,
)
UNCERTAIN: Final = FAMILIES.counter(
    "headrace_uncertain_total",
    "Results of steps whose effect may have happened twice, because a process died or lost its lease on the way",
    action_type=_TYPES,
)
UNEXPECTED_DUPLICATES: Final = FAMILIES.counter(
    "headrace_unexpected_duplicates_total",
    "Effects that happened although another worker had settled their step, whose result does not say so",
)
DROPPED: Final = FAMILIES.counter(
    "headrace_commands_dropped_total",
    "Copies of commands that did not run, by reason",
    reason=("attempt", "duplicate", "parked", "version"),
)
PARKED: Final = FAMILIES.counter(
    "headrace_commands_parked_total", "Commands that wait in the timers instead of in a worker"
)
LEASES_LOST: Final = FAMILIES.counter(
    "headrace_leases_lost_total", "Results that were not stored, because the lease was lost meanwhile"
)
BREAKER_TRANSITIONS: Final = FAMILIES.counter(
    "headrace_breaker_transitions_total", "Circuit breakers that opened or closed", to=("open", "closed")
)
BREAKER_STATE: Final = FAMILIES.reading(
    "headrace_breaker_state",
    "1 half-open, 2 open: the worst of the circuits to a destination, as this worker knows them; without a sample it is"
    " closed",
    destination="those not closed, at most 100",
)
