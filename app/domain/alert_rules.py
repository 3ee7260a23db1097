"""The alerts, as data: the Prometheus rules are written from them, and the scheduler judges by them.

One definition for both, so that an installation without Prometheus is told the same, by the same thresholds, after the
same time. What differs is where a reading comes from: PromQL over the roles' pages there, heartbeats, Postgres and
Kafka's offsets here. docs/alerts.md says for each what to do.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PREFIX: Final = "Headrace"
RUNBOOK: Final = "docs/alerts.md"
KEPT_S: Final = 120
# Every role that an installation runs; `sources` only where there are any.
ROLES: Final = (
    "matcher",
    "executor-notification",
    "executor-crm",
    "executor-workflow",
    "executor-system",
    "sink",
    "scheduler",
    "admin",
)


class Severity(StrEnum):
    """Who is to get up: nothing is processed or something is wrong in itself; or it is to be looked at today."""

    CRITICAL = "critical"
    WARNING = "warning"


class Kind(StrEnum):
    """What of a reading is compared: itself, by how much its counters went up, or how much higher it is than before."""

    LEVEL = "level"
    INCREASE = "increase"
    GROWTH = "growth"


class Unit(StrEnum):
    """How a value is written."""

    COUNT = "count"
    SHARE = "share"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Attributes:
        name: In CamelCase, without the prefix.
        severity: How urgent it is.
        reading: What is read, by the name that the scheduler knows it by.
        queries: The same in PromQL: one query of the value, or for an increase the counters' selectors.
        above: It is wrong above that.
        summary: One line; ``{subject}`` and ``{value}`` are filled in.
        description: What it means and what happens meanwhile.
        kind: What of the reading is compared.
        by: The label that tells subjects apart; empty where there is one for the installation.
        unit: How values are written.
        hold_s: Seconds that it has to be wrong without a break before anybody is told.
        window_s: Seconds over which an increase or a growth is counted.
        keep_s: Seconds that it has to be right again before anybody is told so, so that nothing flaps.
    """

    name: str
    severity: Severity
    reading: str
    queries: tuple[str, ...]
    above: float
    summary: str
    description: str
    kind: Kind = Kind.LEVEL
    by: str = ""
    unit: Unit = Unit.COUNT
    hold_s: int = 0
    window_s: int = 0
    keep_s: int = KEPT_S

    @property
    def full_name(self) -> str:
        """The name in Prometheus and in messages."""
        return PREFIX + self.name

    @property
    def runbook(self) -> str:
        """Where it says what to do."""
        return f"{RUNBOOK}#{self.full_name.lower()}"


_DEPTH: Final = "sum by (role) (max by (role, topic) (headrace_queue_depth))"
_NONE_UP: Final = 'label_replace(absent(up{{job="headrace",role="{role}"}} == 1), "role", "{role}", "", "")'

# The specification's four come first.
ALERTS: Final = (
    Alert(
        "ExecutionFailureRate",
        Severity.CRITICAL,
        "failure_rate",
        ("1 - min(headrace_success_rate)",),
        0.1,
        "{value} of the executions of the last five minutes failed",
        "More than a tenth of what ran ended as failed, partial or timed_out. Each has its row, and can be retried.",
        unit=Unit.SHARE,
        hold_s=120,
    ),
    Alert(
        "QueueDepth",
        Severity.WARNING,
        "queue_depth",
        (_DEPTH,),
        1000,
        "{subject} has {value} records to do",
        "Records wait in the role's topics. Nothing is lost; what they ask for comes late.",
        by="role",
        hold_s=300,
    ),
    Alert(
        "ExecutionTime",
        Severity.WARNING,
        "execution_seconds",
        ("max(headrace_execution_seconds_average)",),
        10,
        "Executions take {value} on average",
        "The average time that the executions of the last five minutes worked, waits not counted.",
        unit=Unit.SECONDS,
        hold_s=300,
    ),
    Alert(
        "BreakerOpen",
        Severity.WARNING,
        "breakers",
        # Half-open it is 1: probes that fail open it again at once, and without commands that wait nothing is wrong.
        ("max by (destination) (max_over_time(headrace_breaker_state[1m]))",),
        1,
        "{subject} is left alone, because it failed",
        "Five attempts in a row failed. Commands for it wait for at most five minutes, then fail as circuit_open.",
        by="destination",
        hold_s=60,
    ),
    Alert(
        "LagGrowing",
        Severity.WARNING,
        "queue_depth",
        (_DEPTH,),
        100,
        "{subject} has {value} records more to do than ten minutes ago",
        "The role takes in more than it finishes, and has done so for ten minutes.",
        kind=Kind.GROWTH,
        by="role",
        hold_s=600,
        window_s=600,
    ),
    Alert(
        "PartitionStuck",
        Severity.CRITICAL,
        "partition_still",
        ("max by (role) (headrace_partition_still_seconds)",),
        60,
        "A partition of {subject} has not moved for {value}",
        "Its first unfinished record stays the same. After 300 seconds the process ends and is started anew.",
        by="role",
        unit=Unit.SECONDS,
        hold_s=60,
    ),
    Alert(
        "CrashLoop",
        Severity.CRITICAL,
        "starts",
        ("max by (role) (headrace_process_starts_recent)",),
        2,
        "{subject} was started {value} times within ten minutes",
        "A process dies again and again. What it had in work is read again; what kills it may be a record.",
        by="role",
    ),
    # The specification has administrators told of system errors: a process's death is one, and InternalErrors.
    Alert(
        "ProcessDied",
        Severity.WARNING,
        "starts",
        ("max by (role) (headrace_process_starts_recent)",),
        1,
        "A {subject} died, and was started anew",
        "A process ended without an orderly end within the last ten minutes. What it had in work is read again.",
        by="role",
    ),
    Alert(
        "DeadLetters",
        Severity.WARNING,
        "dead_letters",
        ("headrace_dead_letters_total",),
        0,
        "{subject} could not process {value} records",
        "They are in the dead letters with their bytes and the reason, and can be replayed once the cause is mended.",
        kind=Kind.INCREASE,
        by="role",
        window_s=600,
    ),
    Alert(
        "WorkflowTableStale",
        Severity.WARNING,
        "table_age",
        ("max(headrace_workflow_table_age_seconds)",),
        900,
        "A matcher's workflows have not been compared with Postgres for {value}",
        "Changes of workflows may not have reached a matcher: it compares its table every five minutes.",
        unit=Unit.SECONDS,
        hold_s=60,
    ),
    Alert(
        "OutboxOld",
        Severity.CRITICAL,
        "outbox_age",
        ("max(headrace_outbox_oldest_seconds)",),
        60,
        "A record has waited in the outbox for {value}",
        "Changes of workflows, retries and the CRM's events do not get from Postgres to Kafka.",
        unit=Unit.SECONDS,
        hold_s=60,
    ),
    Alert(
        "UnexpectedDuplicates",
        Severity.CRITICAL,
        "duplicates",
        ("headrace_unexpected_duplicates_total",),
        0,
        "{value} effects happened twice without being marked as uncertain",
        "That is not to happen: a receipt was lost, or two processes run as one.",
        kind=Kind.INCREASE,
        window_s=600,
    ),
    Alert(
        "RecordsSetAside",
        Severity.WARNING,
        "set_aside",
        ("max(headrace_records_set_aside)",),
        0,
        "Kafka does not take {value} records of outbox and timers",
        "They wait in Postgres: a topic is missing or may not be written, or they are too large for it.",
        hold_s=60,
    ),
    Alert(
        "PartitionOnTrial",
        Severity.WARNING,
        "on_trial",
        ("sum by (role) (headrace_partitions_on_trial)",),
        0,
        "{value} partitions of {subject} are tried record by record",
        "Processes died over them. The record that is at fault will be a dead letter; until then the worker is slow.",
        by="role",
    ),
    Alert(
        "RoleDown",
        Severity.CRITICAL,
        "absent_roles",
        tuple(_NONE_UP.format(role=role) for role in ROLES),
        0,
        "No {subject} runs",
        "No process of the role answers. Its records wait; nothing is lost.",
        by="role",
        hold_s=60,
    ),
    Alert(
        "InternalErrors",
        Severity.WARNING,
        "internal_errors",
        ("headrace_background_failures_total", "headrace_http_errors_total"),
        0,
        "{value} errors in the code of {subject} itself",
        "A background task failed, or the API answered 500. The role's log has the tracebacks.",
        kind=Kind.INCREASE,
        by="role",
        window_s=600,
    ),
)
BY_NAME: Final = {alert.full_name: alert for alert in ALERTS}
