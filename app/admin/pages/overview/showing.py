"""The overview as a page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from app.admin.pages.declared import page
from app.admin.pages.executions.filters import FAILED
from app.admin.pages.executions.listing import newest
from app.admin.pages.first_steps import first_steps
from app.admin.pages.overview.lines import HEIGHT, WIDTH, Line, line_of
from app.admin.pages.overview.sentence import as_list, parts_of
from app.admin.pages.rendering import rendered
from app.admin.pages.statuses import STATUSES, looks
from app.admin.pages.wording import number, percent, seconds
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.day_figures import Figure
from app.services.operations.overview import Day

_LAST: Final = 10
_LIST: Final = "/executions?last=24h"


@dataclass(frozen=True, slots=True)
class Card:
    """A figure as it is shown."""

    title: str
    value: str
    note: str
    path: str
    line: Line
    tone: str = ""


async def show_overview(request: web.Request) -> web.Response:
    """Show it."""
    state, caller = request.app[STATE], request[CALLER]
    seen = await state.runs.overview.see(caller, state.queue, state.health)
    return rendered(
        request,
        "overview/page.html",
        parts=list(as_list(parts_of(seen.wrong, seen.failing, caller))),
        cards=_cards(seen.day),
        about=seen.day.figures.success_rate.about,
        as_of=seen.day.until,
        size=(WIDTH, HEIGHT),
        failing=seen.failing,
        failed=FAILED,
        rows=await newest(request, _LAST),
        most=_LAST,
        statuses=STATUSES,
        looks=looks(),
        first_steps=await first_steps(request),
        everybodys=caller.role == "admin",
    )


def _cards(day: Day) -> list[Card]:
    found = day.figures
    passed_over = f"{number(found.passed_over)} more did not run" if found.passed_over else ""
    failures = f"{_LIST}&status={FAILED}"
    return [
        _card("Executions", found.executions, _count, passed_over, _LIST),
        _card("Succeeded", found.success_rate, percent, "", failures, floor=_floor(found.success_rate)),
        _card("Median time", found.median_ms, seconds, "half took no longer", _LIST),
        _card("p99 time", found.p99_ms, seconds, "99 of 100 took no longer", _LIST),
        _card("Failed steps", found.failed_actions, _count, "", failures),
        _card("Waiting now", day.waiting, _count, "the line shows when they go on", "/executions/waiting"),
    ]


def _card(
    title: str, one: Figure, said: Callable[[float | None], str], note: str, path: str, *, floor: float = 0
) -> Card:
    value = said(one.value)
    about = f"about {value}" if one.about and one.value else value
    return Card(title, about, note, path, line_of(one.line, said, floor=floor))


def _floor(rate: Figure) -> float:
    """Return what the bottom of the rate's line is: a line between 90 % and 100 % shows more than one from nought."""
    lowest = min((one for one in rate.line if one is not None), default=0.0)
    return max(0.0, lowest - 0.1)


def _count(value: float | None) -> str:
    return "-" if value is None else number(round(value))


PAGES: Final = (page("/", "overviewPage", "Overview", show_overview),)
