"""What the sources count."""

from typing import Final

from app.metrics.families import Families

FAMILIES: Final = Families("the sources")

RECORDS: Final = FAMILIES.counter(
    "headrace_source_records_total",
    "Records of sources, by what became of them",
    source="the sources that are configured",
    outcome=("dead_letter", "event", "no_row", "no_source", "tombstone", "too_old", "type_unwanted"),
)
