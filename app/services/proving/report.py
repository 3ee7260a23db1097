"""The report of a run: what was tried, what came of it, as JSON values and in short."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from app.services.proving.judge import Verdict

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of a run.

    Attributes:
        run: Its name.
        began: When, ISO 8601 in UTC.
        version: Headrace's, of the command.
        seconds: How long the load was to flow.
        rate: Events a second.
        entities: Over how many customers they were spread.
        crm: Whether tags and notes were among the effects.
        faults: Kinds that were asked for.
        left_out: Faults that there was no time for.
        verdict: What came of it.
    """

    run: str
    began: str
    version: str
    seconds: float
    rate: float
    entities: int
    crm: bool
    faults: Sequence[str]
    left_out: Sequence[str]
    verdict: Verdict

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"format": FORMAT, "good": self.verdict.good, **asdict(self)}


def summary(report: Report) -> dict[str, str]:
    """Return what matters most, in words by name."""
    verdict, times = report.verdict, report.verdict.timing
    recovered = [one.seconds for one in times.recoveries]
    return {
        "outcome": outcome(verdict),
        "events": f"{verdict.events:,} over {report.entities} customers, {report.rate:g} a second",
        "expected": f"{verdict.executions:,} executions in the log, {verdict.effects:,} effects",
        "lost": f"{verdict.lost:,}",
        "twice, unmarked": f"{verdict.twice_unmarked:,}",
        "twice, marked uncertain": f"{verdict.twice_marked:,}",
        "out of order": f"{verdict.disordered:,} customers",
        "not as it must end": f"{verdict.failed:,} executions",
        "latency": f"p50 {spoken(times.p50)}, p99 {spoken(times.p99)}, longest {spoken(times.longest)}",
        "longest stall": spoken(times.stall),
        "faults": f"{len(recovered)}, slowest recovery {slowest(recovered)}" if recovered else "none",
    }


def outcome(verdict: Verdict) -> str:
    """Return what came of it in one line."""
    if not verdict.events:
        return "nothing was sent, so nothing is shown"
    if verdict.good:
        return "nothing lost, nothing done twice unmarked, order kept"
    counts = (
        (verdict.lost, "lost"),
        (verdict.twice_unmarked, "twice, unmarked"),
        (verdict.disordered, "customers out of order"),
        (verdict.failed, "not as they must end"),
    )
    return f"NOT as promised: {', '.join(f'{count:,} {what}' for count, what in counts if count)}"


def spoken(seconds: float | None) -> str:
    """Return a time as people say it."""
    if seconds is None:
        return "none"
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def slowest(recovered: Sequence[float | None]) -> str:
    """Return the longest of some recoveries, which is none where one of them never came."""
    return "never" if None in recovered else spoken(max((one for one in recovered if one is not None), default=None))
