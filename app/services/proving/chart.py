"""The picture of a run: what was sent and what arrived in each second, and when what was broken."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from app.services.proving.schedule import FREEZE_S
from app.services.proving.timing import Timing

_WIDTH: Final = 920
_HEIGHT: Final = 240
_LEFT: Final = 44
_TOP: Final = 14
_BOTTOM: Final = 26
_POINTS: Final = 460  # more could not be told apart


def chart(times: Timing) -> Iterator[str]:
    """Yield the lines of an SVG, and of what explains it."""
    every = -(-len(times.by_second) // _POINTS)
    sent, came = (_thinned([counts[column] for counts in times.by_second], every) for column in (0, 1))
    # What was late is sent at once: such a peak is cut off, or nothing else could be seen.
    most = max([*came, 2 * sum(sent) / max(1, len(sent)), 1.0])
    seconds = len(times.by_second)
    yield f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Events sent and webhooks arrived, by second">'
    for one in times.recoveries:
        x = _x(one.at_s, seconds)
        name = f"<title>{escape(one.kind)} {escape(one.role)}</title>"
        if one.kind == "freeze":
            size = f'width="{_x(one.at_s + FREEZE_S, seconds) - x:.1f}" height="{_floor() - _TOP}"'
            yield f'<rect class="frozen" x="{x:.1f}" y="{_TOP}" {size}>{name}</rect>'
        else:
            yield f'<line class="fault" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_floor()}">{name}</line>'
    yield f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH}" y1="{_floor()}" y2="{_floor()}"/>'
    yield f'<text x="{_LEFT - 6}" y="{_floor()}" text-anchor="end">0</text>'
    yield f'<text x="{_LEFT - 6}" y="{_TOP + 10}" text-anchor="end">{most:,.0f}</text>'
    yield f'<text x="{_LEFT}" y="{_HEIGHT - 8}">0 s</text>'
    yield f'<text x="{_WIDTH}" y="{_HEIGHT - 8}" text-anchor="end">{seconds:,} s</text>'
    for name, values in (("sent", sent), ("came", came)):
        yield f'<polyline class="{name}" points="{_points(values, most)}"/>'
    yield "</svg>"
    yield '<p class="soft key"><span style="border-top-style: dashed; border-color: var(--sent)"></span>'
    yield "events sent a second"
    yield '<span style="border-color: var(--came)"></span>webhooks arrived a second'
    yield '<span style="border-color: var(--fault)"></span>fault</p>'


def _thinned(counts: Sequence[int], every: int) -> list[float]:
    """Return the means of so many seconds each."""
    parts = [counts[place : place + every] for place in range(0, len(counts), every)]
    return [sum(part) / len(part) for part in parts]


def _points(values: Sequence[float], most: float) -> str:
    last = max(1, len(values) - 1)
    width, height = _WIDTH - _LEFT, _floor() - _TOP
    return " ".join(
        f"{_LEFT + width * place / last:.1f},{_floor() - height * min(1.0, value / most):.1f}"
        for place, value in enumerate(values)
    )


def _x(second: float, seconds: int) -> float:
    return _LEFT + (_WIDTH - _LEFT) * min(1.0, second / max(1, seconds))


def _floor() -> int:
    return _HEIGHT - _BOTTOM
