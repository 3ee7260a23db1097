"""Every panel's queries, run as Grafana runs them: in Prometheus, and in Postgres as the user that Grafana has."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from app.adapters.postgres.database_roles import DatabaseRole
from deploy.grafana.build import FOLDER
from tests.observe.ground import Ground
from tests.support.logins import as_role

_STEP_S: Final = 5
Points = list[tuple[float, float]]


@dataclass(slots=True)
class Shown:
    """A panel and what its queries returned.

    Attributes:
        board: Its dashboard's title.
        panel: As Grafana reads it.
        series: Names and points; of a number or a table one point each.
        wrong: What a query was refused with.
    """

    board: str
    panel: dict[str, Any]
    series: dict[str, Points] = field(default_factory=dict)
    wrong: str = ""

    @property
    def has_data(self) -> bool:
        """Whether there is something to see."""
        return any(self.series.values())


async def shown(ground: Ground, workflow: str, began: float) -> list[Shown]:
    """Run every query of every dashboard, over the time since ``began``; ``workflow`` is the one that is chosen."""
    found: list[Shown] = []
    for path in sorted(FOLDER.glob("*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            one = Shown(board["title"], panel)
            found.append(one)
            for target in panel["targets"]:
                try:
                    ask = _sql if "rawSql" in target else _promql
                    one.series |= await ask(ground, panel, target, workflow, began)
                except (AssertionError, psycopg.Error) as error:
                    one.wrong = str(error)
    return found


async def _promql(
    ground: Ground, _panel: dict[str, Any], target: dict[str, Any], _workflow: str, began: float
) -> dict[str, Points]:
    query = target["expr"].replace("$__rate_interval", "15s")
    if target["instant"]:
        told = await ground.prometheus.ask("query", query=query)
    else:
        span = {"start": f"{began:.0f}", "end": f"{time.time():.0f}", "step": f"{_STEP_S}"}
        told = await ground.prometheus.ask("query_range", query=query, **span)
    series: dict[str, Points] = {}
    for one in told["result"]:
        points = [(at, float(value)) for at, value in one.get("values", [one.get("value")])]
        kept = [(at, value) for at, value in points if value == value]  # noqa: PLR0124 - not NaN
        name = _legend(target["legendFormat"], one["metric"])
        series[name] = kept
    return series


def _legend(text: str, labels: dict[str, str]) -> str:
    for name, value in labels.items():
        text = text.replace("{{" + name + "}}", value)
    return text


async def _sql(
    ground: Ground, panel: dict[str, Any], target: dict[str, Any], workflow: str, began: float
) -> dict[str, Points]:
    query = _filled_in(target["rawSql"], workflow, began)
    url = as_role(ground.stack.database_url, DatabaseRole.DASHBOARDS)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        cursor = await connection.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
        rows = await cursor.fetchall()
    if panel["type"] != "timeseries":
        return {" ".join(map(str, row)): [(time.time(), _number(row))] for row in rows if row[0] is not None}
    series: dict[str, Points] = {}
    for row in rows:
        found = dict(zip(names, row, strict=True))
        at, metric = float(found.pop("time")), found.pop("metric", None)
        for name, value in found.items():
            series.setdefault(str(metric or name), []).append((at, float(value)))
    return series


def _number(row: Sequence[Any]) -> float:
    return next((float(value) for value in row if isinstance(value, int | float)), 1.0)


def _filled_in(query: str, workflow: str, began: float) -> str:
    """Return a query with Grafana's macros replaced as Grafana's plugin for Postgres does."""
    start = datetime.fromtimestamp(began, UTC).isoformat()
    return (
        query.replace("$workflow", workflow)
        .replace("$__timeFilter(executed_at)", f"executed_at BETWEEN '{start}' AND now()")
        .replace("$__timeGroupAlias(executed_at, $__interval)", 'floor(extract(epoch from executed_at)/5)*5 AS "time"')
    )
