"""How a system of ours announces a change: a business event, as the outbox carries it to Kafka."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson

from app.ports import Cause, Record
from app.services.ingest.emitter import STRUCTURED
from app.topics import Topics


@dataclass(frozen=True, slots=True)
class Announcer:
    """Makes the events of one system.

    Attributes:
        topics: Names of the topics.
        source: CloudEvents ``source`` of all of its events, such as ``/headrace/crm``.
    """

    topics: Topics
    source: str

    def event(self, event_type: str, entity: str, data: Mapping[str, Any], origin: Cause | None) -> Record:
        """Return the event of one change.

        Its id is made up: that of a command can be computed from what webhooks send along, and who knows the id of an
        event before it is there can have it taken for a repetition. The event is in the transaction of its change, so
        a change has one. It carries on the chain that led to the change.

        Args:
            event_type: One of ``schemas.event_types``.
            entity: The record key, usually the customer's id.
            data: The changed thing, complete.
            origin: What asked for the change; None where nothing that is known did.
        """
        event: dict[str, Any] = {
            "specversion": "1.0",
            "type": event_type,
            "source": self.source,
            "id": str(uuid4()),
            "subject": entity,
            "time": datetime.now(UTC).isoformat(),
            "datacontenttype": "application/json",
            "data": data,
        }
        if origin is not None and origin.causation:
            event["causation"] = origin.causation
        return Record(self.topics.internal_events, entity.encode(), orjson.dumps(event), STRUCTURED)
