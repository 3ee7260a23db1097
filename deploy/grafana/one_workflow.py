"""The dashboard of one workflow, read from Postgres as ``headrace_dashboards``.

A metric by workflow would have an id in its labels, and as many series as there are workflows.
"""

from typing import Final

from deploy.grafana.model import Dashboard, Panel, Shape, number

_RAN: Final = "AND attempt > 0"


def log(select: str, *rest: str) -> str:
    """Return a query of the chosen workflow's part of the log, in the time that is shown."""
    of_one = "FROM automation_logs WHERE automation_id = '$workflow' AND $__timeFilter(executed_at)"
    return " ".join(("SELECT", select, of_one, *rest))


_NUMBERS: Final = (
    number(
        "Executions", "short", "That ran, in the time that is shown.", log("count(*) AS executions", _RAN), sql=True
    ),
    number(
        "Success",
        "percentunit",
        "Of those, with status success or stopped.",
        log("avg((status IN ('success', 'stopped'))::int)::float8 AS success", _RAN),
        sql=True,
    ),
    number(
        "Average time",
        "ms",
        "That its steps took, waits not counted.",
        log("avg(execution_duration_ms)::float8 AS average", _RAN),
        sql=True,
    ),
    number(
        "Conditions not met",
        "short",
        "Events that came and did not start it.",
        log("count(*) AS skipped", "AND status = 'skipped'"),
        sql=True,
    ),
    number(
        "Fails since",
        "dateTimeAsIso",
        "When it began to fail, for as long as it does; its owner was told.",
        "SELECT extract(epoch FROM since)::float8 * 1000 AS since FROM workflow_failures"
        " WHERE workflow_id = '$workflow'",
        sql=True,
    ),
    number(
        "Version",
        "short",
        "The version that events match now.",
        "SELECT version FROM automations WHERE id = '$workflow'",
        sql=True,
    ),
)
_BY_STATUS: Final = log(
    "$__timeGroupAlias(executed_at, $__interval), status AS metric, count(*) AS value", "GROUP BY 1, 2 ORDER BY 1"
)
_TIMES: Final = log(
    "$__timeGroupAlias(executed_at, $__interval),"
    ' percentile_cont(0.5) WITHIN GROUP (ORDER BY execution_duration_ms) AS "half of them",'
    ' percentile_cont(0.95) WITHIN GROUP (ORDER BY execution_duration_ms) AS "95 %"',
    _RAN,
    "GROUP BY 1 ORDER BY 1",
)
_BY_VERSION: Final = log(
    "version, status, count(*) AS executions, max(executed_at) AS latest", "GROUP BY 1, 2 ORDER BY 1 DESC, 3 DESC"
)
_BY_EVENT: Final = log("event_type, count(*) AS executions, max(executed_at) AS latest", "GROUP BY 1 ORDER BY 2 DESC")
_WORKFLOWS: Final = (
    "SELECT name AS __text, id::text AS __value FROM automations WHERE deleted_at IS NULL ORDER BY name LIMIT 5000"
)
WORKFLOW: Final = Dashboard(
    "headrace-workflow",
    "one workflow",
    "What became of one workflow's executions, from the log in Postgres.",
    (
        *_NUMBERS,
        Panel(
            "Executions by status",
            "short",
            "In each interval, by when they were matched.",
            ((_BY_STATUS, ""),),
            sql=True,
            stacked=True,
        ),
        Panel(
            "Time of an execution",
            "ms",
            "Half of them, and the slowest in twenty, by interval.",
            ((_TIMES, ""),),
            sql=True,
        ),
        Panel(
            "By version",
            "short",
            "What became of the executions of each version, in the time that is shown.",
            ((_BY_VERSION, ""),),
            Shape.TABLE,
            sql=True,
        ),
        Panel(
            "By event type",
            "short",
            "Which events it was matched with, in the time that is shown.",
            ((_BY_EVENT, ""),),
            Shape.TABLE,
            sql=True,
        ),
    ),
    variables=(
        (
            "workflow",
            "Workflow",
            _WORKFLOWS,
        ),
    ),
)
