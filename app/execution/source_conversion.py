"""The conversion of sources: records of other systems' topics in, events out.

Input: the topics of ``HEADRACE_SOURCES``. Output: an event for each record and source that makes one, a dead letter for
each record that cannot be turned. Side effects: none; the batch is acked when what follows from it is durable.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.domain.errors import PoisonError, our_mistake
from app.metrics.sources import RECORDS
from app.ports import Record
from app.services.delivery.dead_letters import DeadLetters
from app.services.ingest.source_envelopes import Ignored
from app.services.ingest.sources import SourceTurner
from schemas.incoming import Incoming
from schemas.log_ids import of_record

log = logging.getLogger(__name__)


class SourceConversion:
    """Turns batches of records.

    Args:
        turners: What turns records into events, one for each source; a topic may have several.
        letters: Builds dead letters.
    """

    def __init__(self, turners: Iterable[SourceTurner], letters: DeadLetters) -> None:
        self._turners: dict[str, list[SourceTurner]] = {}
        for turner in turners:
            self._turners.setdefault(turner.source.topic, []).append(turner)
        self._letters = letters

    async def process(self, records: Sequence[Incoming]) -> list[Record]:
        """Turn a batch; returns what follows from it, in order. Never raises, a mistake of ours is a dead letter."""
        out: list[Record] = []
        for record in records:
            turners = self._turners.get(record.topic)
            if turners is None:
                RECORDS.labels("", "no_source").inc()
            for turner in turners or ():
                out.extend(self._turn(turner, record))
        return out

    def _turn(self, turner: SourceTurner, record: Incoming) -> list[Record]:
        try:
            made = turner.turn(record)
        except PoisonError as error:
            RECORDS.labels(turner.source.name, "dead_letter").inc()
            return [self._letter(turner, record, error)]
        except Exception as error:
            log.exception(
                "a source's record could not be turned", extra={"source": turner.source.name, **of_record(record)}
            )
            RECORDS.labels(turner.source.name, "dead_letter").inc()
            return [self._letter(turner, record, our_mistake(error))]
        RECORDS.labels(turner.source.name, made.outcome if isinstance(made, Ignored) else "event").inc()
        return [] if isinstance(made, Ignored) else [replace(made.record, cause=record)]

    def _letter(self, turner: SourceTurner, record: Incoming, error: PoisonError) -> Record:
        name = turner.source.name
        why = PoisonError(error.reason, f"source {name}: {error.detail}")
        return self._letters.build(record, why, part=name, subject=turner.about(record))
