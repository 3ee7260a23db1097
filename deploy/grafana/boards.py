"""The dashboards: overview, pipeline, destinations, one workflow.

One workflow is read from Postgres (``deploy/grafana/one_workflow.py``).
"""

from typing import Final

from deploy.grafana.model import Dashboard, Panel, number
from deploy.grafana.one_workflow import WORKFLOW


def percentile(share: float, family: str, by: str = "") -> str:
    """Return the query of a histogram's percentile."""
    rates = f"sum by (le{', ' + by if by else ''}) (rate({family}_bucket[$__rate_interval]))"
    return f"histogram_quantile({share}, {rates})"


def stage(title: str, description: str, family: str) -> Panel:
    """Return a panel of a stage's time: half of them, and the slowest in a hundred."""
    queries = ((percentile(0.5, family), "half of them"), (percentile(0.99, family), "99 %"))
    return Panel(title, "s", description, queries, width=8)


def rate(family: str, by: str) -> str:
    """Return the query of a counter's rate by a label."""
    return f"sum by ({by}) (rate({family}[$__rate_interval]))"


_DEPTH: Final = "sum by (role) (max by (role, topic) (headrace_queue_depth))"
OVERVIEW: Final = Dashboard(
    "headrace-overview",
    "overview",
    "Whether all is well: the specification's seven metrics, which roles run, what fires.",
    (
        number("Workflows created", "short", "Ever, deleted ones included.", "max(headrace_workflows_created)"),
        number("Active workflows", "short", "Switched on now.", "max(headrace_workflows_active)"),
        number(
            "Executions per minute",
            "short",
            "Of the last five minutes; what did not run is none.",
            "max(headrace_executions_per_minute)",
        ),
        number(
            "Success rate",
            "percentunit",
            "Of the executions of the last five minutes; under 90 % is an alert.",
            "min(headrace_success_rate)",
        ),
        number(
            "Average execution time",
            "s",
            "Of the last five minutes, waits not counted; over 10 s is an alert.",
            "max(headrace_execution_seconds_average)",
        ),
        number(
            "Failed actions",
            "short",
            "Failed steps of the executions of the last hour.",
            "max(headrace_failed_actions_last_hour)",
        ),
        Panel(
            "Executions by status",
            "ops",
            "What the sink wrote to the log, a second.",
            ((rate("headrace_executions_total", "status"), "{{status}}"),),
            stacked=True,
        ),
        Panel(
            "Records to do",
            "short",
            "Queue depth by role, asked of Kafka; over 1,000 for five minutes is an alert.",
            ((_DEPTH, "{{role}}"),),
        ),
        Panel(
            "Processes",
            "short",
            "Processes of each role that Prometheus reaches; none for a minute is an alert.",
            (('sum by (role) (up{job="headrace"})', "{{role}}"),),
            width=8,
        ),
        Panel(
            "Alerts that fire",
            "short",
            "As the scheduler judges them (docs/alerts.md says what to do).",
            (("max by (alert) (headrace_alerts_firing)", "{{alert}}"),),
            width=8,
        ),
        Panel(
            "Starts of late",
            "short",
            "Starts within ten minutes that no orderly end followed; over 2 is an alert.",
            (("max by (role) (headrace_process_starts_recent)", "{{role}}"),),
            width=8,
        ),
        Panel(
            "What waits in Postgres",
            "short",
            "Delays, retries and commands that wait for a breaker; open dead letters; what Kafka did not take.",
            (
                ("max(headrace_parked)", "parked"),
                ("max(headrace_dead_letters_open)", "open dead letters"),
                ("max(headrace_records_set_aside)", "set aside"),
            ),
            width=8,
        ),
        Panel(
            "API requests",
            "reqps",
            "Answered by the admin API, by status.",
            ((rate("headrace_http_requests_total", "status"), "{{status}}"),),
            width=8,
            stacked=True,
        ),
        Panel(
            "Errors of our own code",
            "short",
            "Background tasks that failed and requests answered 500, an hour.",
            (
                ("sum(increase(headrace_background_failures_total[1h]))", "background tasks"),
                ("sum(increase(headrace_http_errors_total[1h]))", "requests"),
            ),
            width=8,
        ),
        Panel(
            "Memory",
            "bytes",
            "Resident memory of each process.",
            (("process_resident_memory_bytes", "{{role}} {{instance}}"),),
        ),
        Panel(
            "CPU",
            "percentunit",
            "Share of one core that each process takes.",
            (("rate(process_cpu_seconds_total[$__rate_interval])", "{{role}} {{instance}}"),),
        ),
    ),
)

PIPELINE: Final = Dashboard(
    "headrace-pipeline",
    "pipeline",
    "How records flow from an event to the log, stage by stage, and where they wait.",
    (
        stage(
            "Event to match", "From the event's time in Kafka to its being matched.", "headrace_event_to_match_seconds"
        ),
        stage("Match to step", "From the match to the first step's being in hand.", "headrace_match_to_step_seconds"),
        stage(
            "Event to row", "From the event's time in Kafka to its execution's row.", "headrace_event_to_row_seconds"
        ),
        Panel(
            "A step, by action type",
            "s",
            "99 % of the steps are faster: claim, attempts and backoffs, parking left out.",
            ((percentile(0.99, "headrace_step_seconds", "action_type"), "{{action_type}}"),),
        ),
        Panel(
            "Events by outcome",
            "ops",
            "What became of the events that the matchers read.",
            ((rate("headrace_events_total", "outcome"), "{{outcome}}"),),
            stacked=True,
        ),
        Panel(
            "Lag by topic",
            "short",
            "Records that are not finished, as the workers know from their fetches.",
            (("sum by (topic) (headrace_consumer_lag)", "{{topic}}"),),
        ),
        Panel(
            "Partitions that stand still",
            "s",
            "For how long a role's slowest partition has had the same first unfinished record; over 60 s is an alert.",
            (("max by (role) (headrace_partition_still_seconds)", "{{role}}"),),
        ),
        Panel(
            "Held in memory",
            "bytes",
            "Bytes of records that are fetched and not finished; at 64 MiB partitions are paused.",
            (("sum by (role) (headrace_worker_held_bytes)", "{{role}}"),),
            width=8,
        ),
        Panel(
            "Copies that did not run",
            "ops",
            "Copies of commands, by reason; duplicates are normal after a restart.",
            ((rate("headrace_commands_dropped_total", "reason"), "{{reason}}"),),
            width=8,
        ),
        Panel(
            "Dead letters",
            "short",
            "Records that could not be processed, an hour, by role and reason.",
            (("sum by (role, reason) (increase(headrace_dead_letters_total[1h])) > 0", "{{role}} {{reason}}"),),
            width=8,
        ),
        Panel(
            "Age of the workflow table",
            "s",
            "Since a matcher's table last equalled Postgres; over 15 min is an alert.",
            (("headrace_workflow_table_age_seconds", "{{instance}}"),),
            width=8,
        ),
        Panel(
            "Outbox",
            "s",
            "How long its oldest record has waited for Kafka (over 60 s is an alert), and 99 % of all.",
            (
                ("max(headrace_outbox_oldest_seconds)", "oldest"),
                (percentile(0.99, "headrace_outbox_delay_seconds"), "99 %"),
            ),
            width=8,
        ),
        Panel(
            "Timers",
            "s",
            "How late the timers fired: half of them, and the slowest in a hundred.",
            (
                (percentile(0.5, "headrace_timer_lateness_seconds"), "half of them"),
                (percentile(0.99, "headrace_timer_lateness_seconds"), "99 %"),
            ),
            width=8,
        ),
    ),
)

DESTINATIONS: Final = Dashboard(
    "headrace-destinations",
    "destinations",
    "What actions reach: who fails, who is slow, who is left alone.",
    (
        Panel(
            "Breakers that are not closed",
            "short",
            "By destination: 1 is half open, 2 is open; none where all serve.",
            (("max by (destination) (headrace_breaker_state)", "{{destination}}"),),
        ),
        Panel(
            "Breakers that open and close",
            "short",
            "Transitions within five minutes, all workers together.",
            (("sum by (to) (increase(headrace_breaker_transitions_total[5m]))", "{{to}}"),),
        ),
        Panel(
            "Actions by outcome",
            "ops",
            "Steps carried out; retried are attempts that another follows.",
            ((rate("headrace_actions_total", "outcome"), "{{outcome}}"),),
            stacked=True,
        ),
        Panel(
            "Failed actions by type",
            "ops",
            "Steps that failed, after all their attempts.",
            (
                (
                    'sum by (action_type) (rate(headrace_actions_total{outcome="failed"}[$__rate_interval]))',
                    "{{action_type}}",
                ),
            ),
        ),
        Panel(
            "Retries by type",
            "ops",
            "Attempts that failed and are made again.",
            ((rate("headrace_action_retries_total", "action_type"), "{{action_type}}"),),
        ),
        Panel(
            "Half of the steps, by type",
            "s",
            "Half of the steps are faster.",
            ((percentile(0.5, "headrace_step_seconds", "action_type"), "{{action_type}}"),),
        ),
        Panel(
            "Parked commands",
            "short",
            "What waits in the timers for a breaker, a retry or a delay, and what joins it a minute.",
            (
                ("max(headrace_parked)", "waiting"),
                ("60 * sum(rate(headrace_commands_parked_total[$__rate_interval]))", "parked a minute"),
            ),
        ),
        Panel(
            "Uncertain results",
            "short",
            "Effects that may have happened twice, an hour, and those that did unmarked.",
            (
                ("sum(increase(headrace_uncertain_total[1h]))", "uncertain"),
                ("sum(increase(headrace_unexpected_duplicates_total[1h]))", "unexpected duplicates"),
            ),
        ),
    ),
)

BOARDS: Final = (OVERVIEW, PIPELINE, DESTINATIONS, WORKFLOW)
