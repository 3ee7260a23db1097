"""The line of a figure: its hours as points of an inline SVG, and in words for who does not see it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 120
HEIGHT: Final = 32
_PAD: Final = 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is drawn.

    Attributes:
        strokes: Its points, a text for each stretch without a gap.
        dots: Hours that stand alone: a stretch of one point draws nothing.
        words: What it shows, in words.
    """

    strokes: Sequence[str]
    dots: Sequence[tuple[float, float]]
    words: str


def line_of(values: Sequence[float | None], said: Callable[[float | None], str], *, floor: float = 0) -> Line:
    """Draw a figure's hours.

    Args:
        values: One an hour; None where there is nothing to show.
        said: Says a value.
        floor: What lies at the bottom, so that a share of 98 % is not drawn as none.
    """
    known = [one for one in values if one is not None]
    top = max([*known, floor + 1e-9])
    points = [None if one is None else _point(place, one, len(values), floor, top) for place, one in enumerate(values)]
    stretches: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            stretches.append([])
        else:
            stretches[-1].append(point)
    return Line(
        [" ".join(f"{x:g},{y:g}" for x, y in one) for one in stretches if len(one) > 1],
        [one[0] for one in stretches if len(one) == 1],
        f"By hour: at most {said(max(known))}, at least {said(min(known))}" if known else "By hour: nothing",
    )


def _point(place: int, value: float, count: int, floor: float, top: float) -> tuple[float, float]:
    across = WIDTH * place / max(1, count - 1)
    up = min(1.0, max(0.0, (value - floor) / (top - floor)))
    return round(across, 1), round(HEIGHT - _PAD - up * (HEIGHT - 2 * _PAD), 1)
