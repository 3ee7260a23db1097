"""What a heartbeat carries of a process's metrics: a few of them, each one number."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry

# Names of samples as Prometheus gets them; a process has those of its own role. What is no number yet is left out.
FIGURES: Final = (
    "headrace_background_failing",
    "headrace_background_failures_total",
    "headrace_clock_off_seconds",
    "headrace_dead_letters_total",
    "headrace_http_errors_total",
    "headrace_outbox_oldest_seconds",
    "headrace_partition_still_seconds",
    "headrace_partitions_on_trial",
    "headrace_records_set_aside",
    "headrace_unexpected_duplicates_total",
    "headrace_worker_unfinished_records",
    "headrace_workflow_table_age_seconds",
)
# Of those the greatest sample counts, where the others are summed.
_GREATEST: Final = frozenset({"headrace_partition_still_seconds"})


def figures_of(registry: CollectorRegistry, names: tuple[str, ...] = FIGURES) -> Mapping[str, float]:
    """Return the samples of some names, each summed over its labels or the greatest of them; of an unknown, nothing.

    Only the metrics that are named are collected: others may be dear.
    """
    sums: dict[str, float] = {}
    for family in registry.restricted_registry(names).collect():
        for sample in family.samples:
            if sample.name in names:
                known = sums.get(sample.name, 0.0)
                greatest = sample.name in _GREATEST
                sums[sample.name] = max(known, sample.value) if greatest else known + sample.value
    return {name: value for name, value in sums.items() if value - value == 0}  # neither NaN nor infinite
