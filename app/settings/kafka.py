"""Topics: how they are named and made, and what is read of them."""

import re
from typing import Final

from pydantic import Field, field_validator

from app.settings.kafka_login import KafkaLogin

_PREFIX: Final = re.compile(r"^[a-z0-9][a-z0-9._-]{0,40}$")


class KafkaSettings(KafkaLogin):
    """Which topics are ours, and what is read of them."""

    topic_prefix: str = Field("headrace.", description="What our topics and consumer groups begin with")
    events_partitions: int = Field(4, ge=1, le=1000, description="Of each topic of events (`headrace topics`)")
    actions_partitions: int = Field(8, ge=1, le=1000, description="Of each lane of an action type")
    replication_factor: int = Field(
        0, ge=0, le=9, description="Copies of each topic; 0: three, or as many as there are brokers"
    )
    event_max_age_s: int = Field(
        7 * 86_400,
        ge=60,
        description="Older records are counted and skipped; receipts are kept for 8 days longer, 15 at least",
    )
    worker_buffer_mb: int = Field(
        64, ge=1, le=16_384, description="MiB of records that may wait unfinished in a worker, over all its partitions"
    )
    sources: str = Field("", description="Topics of other systems: a JSON list, or the path of a file that holds one")

    @field_validator("topic_prefix")
    @classmethod
    def _legal_topic_prefix(cls, value: str) -> str:
        if not _PREFIX.match(value):
            raise ValueError("must be 1 to 41 of a-z 0-9 . _ - and start with a letter or digit")
        return value
