"""The small bar beside each workflow: how its runs of the last 24 hours ended, in shape and in words."""

from dataclasses import dataclass
from typing import Final

from app.admin.pages.wording import count_of
from app.services.operations.recent_runs import RecentRuns

_WHOLE: Final = 100.0
# A run in five hundred is still to be seen.
_LEAST: Final = 4.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar.

    Attributes:
        parts: Tone, place and length of each part, of a whole of 100.
        words: What it shows.
        short: The same in a few words.
    """

    parts: tuple[tuple[str, float, float], ...]
    words: str
    short: str


def bar_of(runs: RecentRuns) -> Bar:
    """Draw a workflow's runs; of those of a busy one as many as were counted."""
    counts = {"good": runs.succeeded, "bad": runs.failed, "plain": runs.skipped}
    there = {tone: max(_LEAST, _WHOLE * count / runs.total) for tone, count in counts.items() if count}
    scale, at, parts = _WHOLE / sum(there.values()) if there else 1.0, 0.0, []
    for tone, length in there.items():
        parts.append((tone, round(at, 2), round(length * scale, 2)))
        at += length * scale
    said = [
        f"{runs.succeeded:,} succeeded" if runs.succeeded else "",
        f"{runs.failed:,} failed" if runs.failed else "",
        f"{runs.skipped:,} did not run" if runs.skipped else "",
    ]
    whole = f"Of the last {runs.total:,}: " if runs.are_more else ""
    words = f"{whole}{', '.join(filter(None, said))}" if there else "No event in 24 hours"
    return Bar(tuple(parts), words, _short(runs))


def _short(runs: RecentRuns) -> str:
    """Say how many events there were, and how many runs failed: nobody has to tell the colours apart for that."""
    events = f"{runs.total:,}+ events" if runs.are_more else count_of(runs.total, "event")
    return f"{events}, {runs.failed:,} failed" if runs.failed else events
