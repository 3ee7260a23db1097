"""How far a consumer is behind, by partition, from what it knows already: nothing is asked of Kafka for it.

Where a partition ends is known from its fetches, and from what the watchdog asks every ten seconds, which also covers
partitions that are not fetched from. Read in the thread of the metrics page: each look takes what there is at once.
"""

from typing import Any

from app.adapters.kafka.faust_parts import TP
from app.metrics.consumer import LAG, STILL
from app.metrics.families import Samples


def watch_lag(consumer: Any) -> None:
    """Show a consumer's lag; a process has one consumer."""
    LAG.watch(lambda: lags(consumer))
    STILL.watch(lambda: stills(consumer))


def lags(consumer: Any) -> Samples:
    """Return the records of each of the agents' partitions that are not finished.

    Counted from the first that is not, or where none is from where fetching goes on: behind markers of transactions,
    which no one finishes. A partition of which nothing is known yet is left out.
    """
    heads = consumer.frontier.heads()
    found: dict[tuple[str, ...], float] = {}
    for tp in list(consumer.agents_partitions()):
        end, at = consumer.end_of(tp), heads[tp][0] if tp in heads else consumer.position_of(tp)
        if end is not None and at is not None:
            found[_labels(tp)] = float(max(0, end - at))
    return found


def stills(consumer: Any) -> Samples:
    """Return for how many seconds the first unfinished record of each of the agents' partitions has been the same."""
    heads = consumer.frontier.heads()
    return {_labels(tp): heads[tp][1] if tp in heads else 0.0 for tp in list(consumer.agents_partitions())}


def _labels(tp: TP) -> tuple[str, str]:
    return tp.topic, str(tp.partition)
