"""What an attack came to: checks, each with how often it was tried and how often the wall held."""

import sys
import time
import traceback
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

REPORT: Final = Path("build/attack.json")
_SHOWN: Final = 5
_SHOWN_CHARS: Final = 300


@dataclass(slots=True)
class Check:
    """One kind of attempt.

    Attributes:
        name: What was tried, for people.
        tried: How often.
        held: How often it came to nothing.
        broken: What got through, a line each.
        figures: Measured values that belong to it, by name with their unit.
        seconds: How long it took, together with those that the same attack made.
        each: What every single attempt came to, where that is measured.
    """

    name: str
    tried: int = 0
    held: int = 0
    broken: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    each: list[dict[str, Any]] = field(default_factory=list)

    def note(self, what: str, *, held: bool) -> None:
        """Count an attempt; ``what`` names it where it got through."""
        self.tried += 1
        self.held += held
        if not held:
            self.broken.append(what)

    @property
    def holds(self) -> bool:
        """Whether something was tried, and nothing got through."""
        return self.tried > 0 and self.held == self.tried

    def as_json(self) -> dict[str, Any]:
        """Return it as the report has it."""
        return {
            "name": self.name,
            "tried": self.tried,
            "held": self.held,
            "broken": self.broken,
            "seconds": round(self.seconds, 1),
            "figures": {name: round(value, 3) for name, value in self.figures.items()},
            **({"each": self.each} if self.each else {}),
        }


async def timed(name: str, attack: Awaitable[list[Check]]) -> list[Check]:
    """Make an attack, and note in its checks how long it took; one that cannot be made to its end does not hold."""
    began = time.monotonic()
    try:
        checks = await attack
    except Exception:  # noqa: BLE001 - the others are made all the same, and this one is reported with its traceback
        checks = [Check(name)]
        checks[0].note(traceback.format_exc()[-2000:], held=False)
    for check in checks:
        check.seconds = time.monotonic() - began
    return checks


def write(checks: list[Check], seconds: float) -> None:
    """Write ``build/attack.json``."""
    REPORT.parent.mkdir(exist_ok=True)
    report = {"seconds": round(seconds), "checks": [check.as_json() for check in checks]}
    REPORT.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))


def show(checks: list[Check], seconds: float) -> None:
    """Print the table, and below it what got through."""
    out = sys.stdout.write
    out(f"\n{'check':<58}{'tried':>8}{'held':>8}{'s':>6}  figures\n")
    for check in checks:
        figures = ", ".join(f"{name} {value:.3g}" for name, value in check.figures.items())
        held = "" if check.holds else "  DOES NOT HOLD"
        out(f"{check.name:<58}{check.tried:>8}{check.held:>8}{check.seconds:>6.0f}  {figures}{held}\n")
    for check in checks:
        for line in check.broken[:_SHOWN]:
            out(f"    {check.name}: {line[-_SHOWN_CHARS:]}\n")
        if len(check.broken) > _SHOWN:
            out(f"    {check.name}: and {len(check.broken) - _SHOWN} more, see {REPORT}\n")
    good = all(check.holds for check in checks)
    out(f"\n{len(checks)} checks, {seconds:.0f} s: {'holds' if good else 'DOES NOT HOLD'}\n")
    sys.stdout.flush()
