"""What the matcher counts."""

from typing import Final

from app.metrics.delivery import REASONS
from app.metrics.families import Families

FAMILIES: Final = Families("the matcher")

EVENTS: Final = FAMILIES.counter(
    "headrace_events_total",
    "Events read by the matcher, by what became of them: matched, or why not; reasons of dead letters among them",
    outcome=("matched", "no_workflow", "too_old", "turned_away", *REASONS),
)
PLANS: Final = FAMILIES.counter(
    "headrace_plans_total",
    "Workflows of an event's type, by whether their conditions held",
    met=("true", "false", "turned_away"),
)
EVENT_TO_MATCH: Final = FAMILIES.histogram(
    "headrace_event_to_match_seconds",
    "From an event's timestamp in Kafka to when the matcher took it in hand; events older than a day are left out",
)
BLOCKED: Final = FAMILIES.counter(
    "headrace_executions_blocked_total",
    "Executions that loops, budgets or quotas kept from starting",
    reason=("budget", "loop", "quota"),
)
DELAYED: Final = FAMILIES.counter(
    "headrace_executions_delayed_total", "Executions that wait, as their owner's quota was used up"
)
FORGOTTEN: Final = FAMILIES.counter(
    "headrace_run_budgets_forgotten_total", "Counts of runs forgotten as memory is bounded"
)
REENTRIES: Final = FAMILIES.counter(
    "headrace_reentries_skipped_total", "Executions whose entity had entered and may not enter again"
)
KEYLESS: Final = FAMILIES.counter(
    "headrace_reentries_without_key_total", "Executions skipped, as their event lacks the re-entry key"
)

TABLE_CHANGES: Final = FAMILIES.counter(
    "headrace_workflow_table_changes_total",
    "Changelog records by what became of them",
    outcome=("active", "inactive", "deleted", "forgotten", "stale", "broken"),
)
TABLE_ERRORS: Final = FAMILIES.counter(
    "headrace_workflow_table_errors_total", "Changelog records that could not be read"
)
TABLE_ENTRIES: Final = FAMILIES.gauge("headrace_workflow_table_entries", "Workflows that events can start")
TABLE_RECOVERED: Final = FAMILIES.gauge("headrace_workflow_table_recovered", "1 once the changelog was read to its end")
TABLE_DELAY: Final = FAMILIES.histogram(
    "headrace_workflow_table_delay_seconds",
    "From the record's Kafka timestamp to this matcher's knowing it, recoveries not counted",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
TABLE_BEHIND: Final = FAMILIES.counter(
    "headrace_workflow_table_behind_total", "Workflows that this matcher had missed a change of"
)
TABLE_CHECKS: Final = FAMILIES.counter(
    "headrace_workflow_table_checks_total", "Comparisons with Postgres", outcome=("equal", "behind", "unreachable")
)
TABLE_CHECKED_AT: Final = FAMILIES.gauge(
    "headrace_workflow_table_checked_at_seconds", "When the table last equalled Postgres, Unix time"
)
TABLE_AGE: Final = FAMILIES.gauge(
    "headrace_workflow_table_age_seconds", "Seconds since the table last equalled Postgres"
)
