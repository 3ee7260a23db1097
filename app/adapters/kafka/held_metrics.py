"""What waits unfinished in this worker, for its metrics page; asked for when the page is, never by the record."""

from app.adapters.kafka.budget import Budget
from app.adapters.kafka.frontier import Frontier
from app.metrics.consumer import HELD, PAUSED, PAUSES, UNFINISHED


def watch(frontier: Frontier, budget: Budget) -> None:
    """Show what this consumer holds; a process has one."""
    HELD.set_function(lambda: sum(size for size, _ in frontier.held().values()))
    UNFINISHED.set_function(lambda: sum(records for _, records in frontier.held().values()))
    PAUSED.set_function(lambda: len(budget.paused))
    PAUSES.set_function(lambda: budget.pauses)
