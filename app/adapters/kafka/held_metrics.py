"""What waits unfinished in this worker, for its metrics page; asked for when the page is, never by the record."""

from prometheus_client import Gauge

from app.adapters.kafka.budget import Budget
from app.adapters.kafka.frontier import Frontier

_HELD = Gauge("headrace_worker_held_bytes", "Bytes of records fetched that are not finished, or wait behind such")
_PAUSED = Gauge(
    "headrace_worker_paused_partitions", "Partitions not fetched from, because they hold too much unfinished"
)
_PAUSES = Gauge("headrace_worker_partition_pauses", "How often a partition was paused since the worker started")


def watch(frontier: Frontier, budget: Budget) -> None:
    """Show what this consumer holds; a process has one."""
    _HELD.set_function(lambda: sum(size for size, _ in frontier.held().values()))
    _PAUSED.set_function(lambda: len(budget.paused))
    _PAUSES.set_function(lambda: budget.pauses)
