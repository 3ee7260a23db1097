"""What the sink counts."""

from typing import Final

from app.metrics.families import Families

FAMILIES: Final = Families("the sink")

EXECUTIONS: Final = FAMILIES.counter(
    "headrace_executions_total",
    "Executions written to the log, by status",
    status=("success", "partial", "failed", "skipped", "stopped", "blocked", "timed_out", "other"),
)
NOT_WRITTEN: Final = FAMILIES.counter(
    "headrace_executions_dropped_total",
    "Executions that made no row, by reason",
    reason=("attempt", "duplicate", "version"),
)
LATE: Final = FAMILIES.counter("headrace_executions_late_total", "Executions so old that they went to the archive")
DELAY: Final = FAMILIES.histogram(
    "headrace_execution_seconds",
    "From matching an event to its execution's row",
    buckets=(0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)
EVENT_TO_ROW: Final = FAMILIES.histogram(
    "headrace_event_to_row_seconds",
    "From an event's timestamp in Kafka to its execution's row; not of executions that waited on purpose (delay,"
    " quota), of events older than a day, or of retries that were asked for",
)
UNSTORED: Final = FAMILIES.counter(
    "headrace_dead_letters_unstored_total",
    "Dead letters that could not be stored in Postgres, by reason",
    reason=("crashes", "internal_error", "not_json", "refused", "tombstone", "too_deep"),
)
REPEATED: Final = FAMILIES.counter(
    "headrace_dead_letters_repeated_total", "Dead letters that were stored before and came again"
)
