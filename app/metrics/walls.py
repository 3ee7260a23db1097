"""What took more CPU than it may: of the matcher's conditions, and of the executors' steps."""

from typing import Final

from app.metrics.families import Families

FAMILIES: Final = Families("templates and conditions")

WALLS: Final = FAMILIES.counter(
    "headrace_walls_total",
    "Work that took more CPU than it may, by what and what became of it",
    what="conditions in a matcher, step in an executor",
    outcome=("delayed", "over_share", "reached", "refused", "turned_away"),
)
