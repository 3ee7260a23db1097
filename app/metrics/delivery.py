"""What roles that read or send records count of those that are no good."""

from typing import Final

from app.metrics.families import Families

FAMILIES: Final = Families("reading and sending")

REASONS: Final = (
    "absurd_timestamp",
    "crashes",
    "handler_failed",
    "integer_over_64_bits",
    "internal_error",
    "invalid_command",
    "invalid_event",
    "invalid_execution",
    "invalid_held_runs",
    "invalid_key",
    "not_json",
    "nul_character",
    "refused",
    "repeated_key",
    "reserved",
    "source_mismatch",
    "tombstone",
    "too_deep",
    "too_large",
    "unsendable",
    "wrong_topic",
)
"""Why a record can be a dead letter."""

DEAD_LETTERS: Final = FAMILIES.counter(
    "headrace_dead_letters_total", "Records that could not be processed", role="one a process", reason=REASONS
)
REFUSED: Final = FAMILIES.counter(
    "headrace_records_refused_total",
    "Records that Kafka did not take, by reason",
    reason=("no_topic", "refused", "too_large"),
)
