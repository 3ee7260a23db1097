"""What a dashboard is made of, and how Grafana (11 and 12) reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_COLUMNS: Final = 24
# Every dashboard has the same two sources; Grafana knows them by these ids (provisioning/datasources).
PROMETHEUS: Final = {"type": "prometheus", "uid": "headrace-prometheus"}
POSTGRES: Final = {"type": "grafana-postgresql-datasource", "uid": "headrace-postgres"}


class Shape(StrEnum):
    """How a panel shows its series."""

    LINES = "timeseries"
    NUMBER = "stat"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        title: Its title.
        unit: Grafana's name of the unit.
        description: What it shows and how to read it.
        queries: Queries and the legends of their series.
        shape: How it shows them.
        width: Of 24 columns.
        height: In rows.
        sql: The queries are SQL.
        stacked: The series add up to something.
    """

    title: str
    unit: str
    description: str
    queries: tuple[tuple[str, str], ...]
    shape: Shape = Shape.LINES
    width: int = 12
    height: int = 8
    sql: bool = False
    stacked: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard.

    Attributes:
        uid: Its id in Grafana, and its file's name.
        title: Its title.
        description: What it is for.
        panels: Its panels, in reading order.
        variables: What can be chosen: names, labels and the SQL of their values.
    """

    uid: str
    title: str
    description: str
    panels: Sequence[Panel]
    variables: tuple[tuple[str, str, str], ...] = ()


def number(title: str, unit: str, description: str, query: str, *, sql: bool = False) -> Panel:
    """Return a panel of one number."""
    return Panel(title, unit, description, ((query, title),), Shape.NUMBER, width=4, height=4, sql=sql)


def document(board: Dashboard) -> dict[str, Any]:
    """Return a dashboard as Grafana reads it."""
    return {
        "uid": board.uid,
        "title": f"Headrace: {board.title}",
        "description": board.description,
        "tags": ["headrace"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "links": [{"type": "dashboards", "title": "Headrace", "tags": ["headrace"], "asDropdown": True}],
        "annotations": {"list": []},
        "templating": {"list": [_variable(*one) for one in board.variables]},
        "panels": _placed(board.panels),
    }


def _variable(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": POSTGRES,
        "definition": query,
        "query": query,
        "refresh": 2,
        "sort": 1,
        "multi": False,
        "includeAll": False,
        "options": [],
    }


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """Lay panels out from left to right, a row as high as its highest."""
    made, x, y, highest = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > _COLUMNS:
            x, y, highest = 0, y + highest, 0
        made.append(_panel(number, panel) | {"gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height}})
        x, highest = x + panel.width, max(highest, panel.height)
    return made


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    source = POSTGRES if panel.sql else PROMETHEUS
    return {
        "id": number,
        "type": panel.shape.value,
        "title": panel.title,
        "description": panel.description,
        "datasource": source,
        "targets": [_target(panel, source, place, *one) for place, one in enumerate(panel.queries)],
        "fieldConfig": {"defaults": {"unit": panel.unit, **_drawn(panel)}, "overrides": []},
        "options": _options(panel.shape),
    }


def _target(panel: Panel, source: dict[str, str], place: int, query: str, legend: str) -> dict[str, Any]:
    common = {"refId": chr(ord("A") + place), "datasource": source}
    if panel.sql:
        form = "time_series" if panel.shape is Shape.LINES else "table"
        return {**common, "rawSql": query, "rawQuery": True, "editorMode": "code", "format": form}
    instant = panel.shape is not Shape.LINES
    return {
        **common,
        "expr": query,
        "legendFormat": legend,
        "instant": instant,
        "range": not instant,
        "format": "table" if panel.shape is Shape.TABLE else "time_series",
    }


def _drawn(panel: Panel) -> dict[str, Any]:
    if panel.shape is not Shape.LINES:
        return {"custom": {}}
    stacking = {"mode": "normal" if panel.stacked else "none", "group": "A"}
    return {"min": 0, "custom": {"lineWidth": 1, "fillOpacity": 25 if panel.stacked else 8, "stacking": stacking}}


def _options(shape: Shape) -> dict[str, Any]:
    if shape is Shape.NUMBER:
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "none", "graphMode": "area"}
    if shape is Shape.TABLE:
        return {"showHeader": True}
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
