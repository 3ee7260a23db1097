"""Pictures of the dashboards, drawn from what their queries returned: small SVG files, for the documents."""

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.observe.panels import Points, Shown

_UNIT: Final = 40  # pixels of a column, and of a row
_TITLE: Final = 34
_COLOURS: Final = ("#3274d9", "#e0752d", "#56a64b", "#a352cc", "#c4162a", "#8f8f00", "#0a7c8c", "#6d6d6d")
_MOST_SERIES: Final = 8
_MOST_POINTS: Final = 90
_MOST_ROWS: Final = 6


def draw(panels: list[Shown], folder: Path) -> None:
    """Write a picture of each dashboard."""
    folder.mkdir(parents=True, exist_ok=True)
    for title, of_board in groupby(panels, key=lambda one: one.board):
        shown = list(of_board)
        high = max(one.panel["gridPos"]["y"] + one.panel["gridPos"]["h"] for one in shown) * _UNIT * 0.62 + _TITLE
        wide = 24 * _UNIT
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high:.0f}" font-family="sans-serif">',
            f'<rect width="{wide}" height="{high:.0f}" fill="#f4f5f5"/>',
            f'<text x="10" y="23" font-size="17" font-weight="bold" fill="#222">{escape(title)}</text>',
            *map(_panel, shown),
            "</svg>\n",
        ]
        name = title.removeprefix("Headrace: ").replace(" ", "-")
        (folder / f"dashboard-{name}.svg").write_text("\n".join(parts))


def _panel(one: Shown) -> str:
    place = one.panel["gridPos"]
    x, y = place["x"] * _UNIT + 4, place["y"] * _UNIT * 0.62 + _TITLE + 4
    w, h = place["w"] * _UNIT - 8, place["h"] * _UNIT * 0.62 - 8
    drawn = {"stat": _number, "table": _table}.get(one.panel["type"], _lines)(one, w, h)
    frame = f'<rect width="{w}" height="{h:.0f}" rx="3" fill="#fff" stroke="#d8d9da"/>'
    title = escape(one.panel["title"])
    named = f'<text x="9" y="18" font-size="11" font-weight="bold" fill="#333">{title}</text>'
    return f'<g transform="translate({x},{y:.0f})">{frame}{named}{drawn}</g>'


def _number(one: Shown, w: float, h: float) -> str:
    values = [points[-1][1] for points in one.series.values() if points]
    text = _said(values[0], one.panel["fieldConfig"]["defaults"]["unit"]) if values else "no data"
    return f'<text x="{w / 2:.0f}" y="{h / 2 + 20:.0f}" font-size="26" text-anchor="middle" fill="#222">{text}</text>'


def _table(one: Shown, _w: float, h: float) -> str:
    rows = list(one.series)[: min(_MOST_ROWS, int((h - 30) // 18))]
    return "".join(
        f'<text x="9" y="{40 + 18 * place}" font-size="11" fill="#444">{escape(row[:70])}</text>'
        for place, row in enumerate(rows)
    )


def _lines(one: Shown, w: float, h: float) -> str:
    series = _largest(one.series)
    unit = one.panel["fieldConfig"]["defaults"]["unit"]
    times = [at for points in series.values() for at, _ in points] or [0.0, 1.0]
    top = max((value for points in series.values() for _, value in points), default=1.0) or 1.0
    first, span = min(times), max(max(times) - min(times), 1.0)
    left, right, high, low = 52.0, w - 10, 30.0, h - 36

    def spot(at: float, value: float) -> str:
        return f"{left + (at - first) / span * (right - left):.0f},{low - value / top * (low - high):.0f}"

    parts = [
        f'<line x1="{left}" y1="{y:.0f}" x2="{right}" y2="{y:.0f}" stroke="#e4e5e6"/>'
        f'<text x="{left - 5}" y="{y + 4:.0f}" font-size="10" text-anchor="end" fill="#777">{_said(value, unit)}</text>'
        for value, y in ((0.0, low), (top / 2, (low + high) / 2), (top, high))
    ]
    x = left
    for colour, (name, points) in zip(_COLOURS, series.items(), strict=False):
        line = " ".join(spot(at, value) for at, value in _thinned(points))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.4"/>')
        if len(points) == 1:
            cx, _, cy = line.partition(",")
            parts.append(f'<circle cx="{cx}" cy="{cy}" r="3" fill="{colour}"/>')
        label = name if len(name) <= 24 else name[:23] + "…"
        if x + 16 + 6 * len(label) < w:
            parts.append(
                f'<rect x="{x:.0f}" y="{h - 19:.0f}" width="9" height="4" fill="{colour}"/>'
                f'<text x="{x + 13:.0f}" y="{h - 13:.0f}" font-size="10" fill="#555">{escape(label)}</text>'
            )
            x += 24 + 6 * len(label)
    return "".join(parts)


def _largest(series: Mapping[str, Points]) -> dict[str, Points]:
    """Return the series that matter most in a picture."""
    ranked = sorted(series.items(), key=lambda one: -max((value for _, value in one[1]), default=0.0))
    return dict(ranked[:_MOST_SERIES])


def _thinned(points: Points) -> Points:
    every = max(1, len(points) // _MOST_POINTS)
    return points[::every]


def _said(value: float, unit: str) -> str:
    if unit == "percentunit":
        return f"{value:.0%}"
    if unit == "dateTimeAsIso":
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%H:%M:%S")
    if unit == "bytes":
        return f"{value / 1024 / 1024:.0f} MiB"
    if unit in {"s", "ms"}:
        seconds = value if unit == "s" else value / 1000
        return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"
