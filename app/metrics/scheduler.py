"""What the scheduler counts: outbox relay, timers, temporal triggers, upkeep, alerts."""

from typing import Final

from app.metrics.families import Families

FAMILIES: Final = Families("the scheduler")

OUTBOX_SENT: Final = FAMILIES.counter("headrace_outbox_sent_total", "Records sent from the outbox")
OUTBOX_WAITS: Final = FAMILIES.counter(
    "headrace_outbox_relay_waits_total", "Times the relay waited because Kafka or Postgres did not answer"
)
OUTBOX_LEADING: Final = FAMILIES.gauge("headrace_outbox_relay_leading", "1 while this process is the relay")
OUTBOX_OLDEST: Final = FAMILIES.gauge("headrace_outbox_oldest_seconds", "Age of the oldest record that is not sent yet")
OUTBOX_DELAY: Final = FAMILIES.histogram(
    "headrace_outbox_delay_seconds",
    "From the row's creation to Kafka's confirmation",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
OUTBOX_REFUSED: Final = FAMILIES.counter(
    "headrace_outbox_refused_total", "Records of the outbox that Kafka did not take, by attempt"
)
OUTBOX_SET_ASIDE: Final = FAMILIES.gauge(
    "headrace_outbox_set_aside", "Records of the outbox that Kafka did not take, and that wait"
)

TIMERS_FIRED: Final = FAMILIES.counter("headrace_timers_fired_total", "Timers whose record was sent")
TIMERS_REFUSED: Final = FAMILIES.counter(
    "headrace_timers_refused_total", "Timers whose record Kafka did not take, by attempt"
)
TIMER_LATENESS: Final = FAMILIES.histogram(
    "headrace_timer_lateness_seconds",
    "From a timer's due time to when its record was durable and the timer forgotten",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)

TEMPORAL_EMITTED: Final = FAMILIES.counter(
    "headrace_temporal_events_total", "Events of temporal triggers, by kind", kind=("run", "audience")
)
TEMPORAL_SKIPPED: Final = FAMILIES.counter(
    "headrace_temporal_skipped_total",
    "Runs and audiences that got no event, by reason",
    reason=(
        "already_open",
        "audience_ended",
        "audience_refused",
        "audience_unreadable",
        "customer_costly",
        "customer_unreadable",
        "missed",
        "unreadable",
    ),
)

UPKEEP_ROUNDS: Final = FAMILIES.counter(
    "headrace_upkeep_rounds_total", "Rounds of each chore", chore="the chores in the code", outcome=("good", "failed")
)
LOG_DAYS: Final = FAMILIES.counter(
    "headrace_log_days_total",
    "Days of the execution log, by what became of their partitions; busy: left for the next run",
    outcome=("made", "archived", "removed", "busy"),
)
UPKEEP_SUCCESS: Final = FAMILIES.gauge(
    "headrace_upkeep_last_success_seconds", "Unix time of each chore's last good round", chore="the chores in the code"
)
LETTERS_REMOVED: Final = FAMILIES.counter(
    "headrace_dead_letters_removed_total",
    "Dead letters removed with age, by what had become of them",
    state=("open", "replayed", "discarded"),
)

ALERTS_FIRING: Final = FAMILIES.gauge(
    "headrace_alerts_firing",
    "1 while the alert fires, as the one scheduler that judges sees it",
    alert="the alerts of docs/alerts.md",
)
ALERT_MESSAGES: Final = FAMILIES.counter(
    "headrace_alert_messages_total",
    "Messages to the channels of ADMIN_ALERT_CHANNELS; failed: it is tried again",
    outcome=("sent", "failed"),
)
OWNERS_TOLD: Final = FAMILIES.counter(
    "headrace_owners_told_total",
    "Notes to owners whose workflow began to fail, or works again",
    what=("fails", "works"),
)
