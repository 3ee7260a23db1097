"""Writes the tables of ``docs/metrics.md``: ``python -m app.metrics.reference``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.metrics import (
    admin,
    clock,
    consumer,
    delivery,
    executor,
    listeners,
    matcher,
    process,
    scheduler,
    sink,
    sources,
    tracing,
    walls,
)
from app.metrics.families import Families, Family, Values
from app.metrics.roles import GROUPS

PAGE: Final = Path(__file__).parents[2] / "docs" / "metrics.md"
MARK: Final = "<!-- What follows is generated: python -m app.metrics.reference -->\n"
ALL: Final = tuple(
    module.FAMILIES
    for module in (
        process, clock, consumer, delivery, matcher, executor, walls, sink, scheduler, sources, admin, tracing,
        listeners,
    )
)  # fmt: skip


def tables() -> str:
    """Return a table for each component."""
    return "\n".join("\n".join(_table(group)) for group in ALL) + "\n"


def _table(group: Families) -> Iterator[str]:
    roles = [f"`{role}`" for role, groups in GROUPS.items() if group in groups]
    yield f"\n## Of {group.about}\n"
    yield f"Exported by {', '.join(roles)}.\n" if roles else "Exported by none of our roles.\n"
    yield "| name | type | labels | unit | meaning |"
    yield "| --- | --- | --- | --- | --- |"
    for family in group:
        yield _row(family)


def _row(family: Family) -> str:
    labels = "; ".join(f"`{label}`: {_said(values)}" for label, values in family.labels.items())
    return f"| `{family.name}` | {family.kind} | {labels} | {family.unit} | {family.meaning} |"


def _said(values: Values) -> str:
    return values if isinstance(values, str) else ", ".join(f"`{value}`" for value in values)


def write() -> None:
    """Write them behind the page's own words."""
    PAGE.write_text(PAGE.read_text().partition(MARK)[0] + MARK + tables())


if __name__ == "__main__":
    write()
