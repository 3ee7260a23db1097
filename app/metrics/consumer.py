"""What a worker's consumer holds, and how far it is behind; read when the page is asked for, never by the record."""

from typing import Final

from app.metrics.families import Families

FAMILIES: Final = Families("a worker's consumer")

_TOPICS: Final = "the topics that the role reads"
_PARTITIONS: Final = "the partitions that the worker has"

HELD: Final = FAMILIES.gauge(
    "headrace_worker_held_bytes", "Bytes of records fetched that are not finished, or wait behind such"
)
UNFINISHED: Final = FAMILIES.gauge(
    "headrace_worker_unfinished_records", "Records fetched that are not finished, or wait behind such"
)
PAUSED: Final = FAMILIES.gauge(
    "headrace_worker_paused_partitions", "Partitions not fetched from, because they hold too much unfinished"
)
PAUSES: Final = FAMILIES.gauge(
    "headrace_worker_partition_pauses", "How often a partition was paused since the worker started"
)
ON_TRIAL: Final = FAMILIES.gauge(
    "headrace_partitions_on_trial", "Partitions whose records are tried alone, because processes died"
)
LAG: Final = FAMILIES.reading(
    "headrace_consumer_lag",
    "Records of a partition that are not finished, fetched or not, as the worker that has it knows from its fetches",
    topic=_TOPICS,
    partition=_PARTITIONS,
)
STILL: Final = FAMILIES.reading(
    "headrace_partition_still_seconds",
    "For how long the first unfinished record of a partition has been the same; 0 where nothing is unfinished",
    topic=_TOPICS,
    partition=_PARTITIONS,
)
