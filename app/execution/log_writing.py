"""The sink: finished executions become rows of the log, dead letters rows of their table.

Input: the topics ``executions``, ``dead-letters`` and ``listener-letters``, in batches of what has arrived. Output: a
dead letter per execution that can never be written. Side effects: rows in Postgres. Both processors return when all of
it is durable, so that the caller may ack.
"""

import logging
import time
from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from typing import Final

from app.domain.errors import PoisonError, our_mistake
from app.domain.statuses import ExecutionStatus
from app.domain.times import parse_time
from app.execution.tracing import UNTRACED_ROWS, RowTraces, end_rows
from app.metrics.sink import DELAY, EVENT_TO_ROW, EXECUTIONS, LATE, NOT_WRITTEN, REPEATED, UNSTORED
from app.ports import Record
from app.ports.execution_log import DeadLetterStore, Logged, LogOutcome, LogWriter, Refused, Repeated, Skipped
from app.services.delivery.dead_letters import DeadLetters
from app.services.delivery.listener_letters import of_a_listener
from app.services.operations.background import note_failure
from app.topics import Topics
from schemas.incoming import MAX_SLIP_NESTING, Incoming, load_object, may_nest_deeper
from schemas.json_places import not_utf8
from schemas.log_ids import of_record
from schemas.logged import check_execution

log = logging.getLogger(__name__)

STAYS: Final = "a record of the dead letters is none, and stays in Kafka alone"
_NANOSECONDS: Final = 1e9
_STATUSES: Final = frozenset(ExecutionStatus)


class Sink:
    """Writes executions.

    Args:
        writer: Stores executions.
        letters: Builds dead letters.
        traces: Records a span for each row.
    """

    def __init__(self, writer: LogWriter, letters: DeadLetters, traces: RowTraces = UNTRACED_ROWS) -> None:
        self._writer = writer
        self._letters = letters
        self._traces = traces

    async def process(self, records: Sequence[Incoming]) -> list[Record]:
        """Write a batch of executions and wait until it is durable; returns the dead letters of what was none.

        Raises:
            UnreachableError: Postgres failed for good; the records must stay unacked.
        """
        readable: list[Incoming] = []
        documents: list[str] = []
        out: list[Record] = []
        for record in records:
            try:
                documents.append(_execution(record))
                readable.append(record)
            except PoisonError as error:
                out.append(self._letters.build(record, error))
        spans = self._traces.begin(readable)
        try:
            outcomes = await self._writer.write(documents)
        except BaseException as error:
            end_rows(spans, dict.fromkeys(range(len(spans)), type(error).__name__))
            raise
        refused = {at: outcome.detail for at, outcome in enumerate(outcomes) if isinstance(outcome, Refused)}
        end_rows(spans, refused)
        out.extend(self._letters.build(readable[at], PoisonError("refused", why)) for at, why in refused.items())
        _count(outcomes)
        return out


class DeadLetterSink:
    """Stores dead letters.

    Args:
        store: Stores dead letters.
        topics: Names of the topics.
    """

    def __init__(self, store: DeadLetterStore, topics: Topics) -> None:
        self._store = store
        self._topics = topics

    async def process(self, records: Sequence[Incoming]) -> list[Record]:
        """Store a batch of dead letters and wait until it is durable; nothing follows from them.

        A record that is no dead letter stays in Kafka alone, logged and counted: a dead letter of it would go in
        circles.

        Raises:
            UnreachableError: Postgres failed for good; the records must stay unacked.
        """
        readable: list[Incoming] = []
        documents: list[str] = []
        for record in records:
            try:
                documents.append(self._document(record))
                readable.append(record)
            except PoisonError as error:
                give_up(record, error)
        for record, outcome in zip(readable, await self._store.store(documents), strict=True):
            if isinstance(outcome, Refused):
                give_up(record, PoisonError("refused", outcome.detail))
            elif isinstance(outcome, Repeated):
                REPEATED.inc()
        return []

    def _document(self, record: Incoming) -> str:
        text = _text(record)
        return of_a_listener(record, self._topics) if record.topic == self._topics.listener_letters else text


def _execution(record: Incoming) -> str:
    text = _text(record)
    value = record.value or b""
    if b"\\u0000" in value:
        load_object(value, max_nesting=MAX_SLIP_NESTING)
    check_execution(value)
    return text


def _text(record: Incoming) -> str:
    if record.value is None:
        raise PoisonError("tombstone", "the record has no value")
    if may_nest_deeper(record.value, MAX_SLIP_NESTING):
        load_object(record.value, max_nesting=MAX_SLIP_NESTING)  # Postgres takes what no reader of ours can
    try:
        return record.value.decode("utf-8")
    except UnicodeDecodeError:
        raise PoisonError("not_json", f"the value {not_utf8(record.value)}") from None


def stay_in_kafka(record: Incoming, error: Exception) -> Sequence[Record]:
    """Give a dead letter up that our own code fails on."""
    note_failure("records", error, **of_record(record))
    give_up(record, our_mistake(error))
    return []


def is_of_a_letter(record: Incoming, letters_topic: str) -> bool:
    """Tell whether a dead letter is of a record that was a dead letter itself, by its key."""
    return f":{letters_topic}/".encode() in (record.key or b"")


def give_up(record: Incoming, why: PoisonError) -> None:
    """Leave a record of the dead letters' topic in Kafka alone: a letter of it would go in circles."""
    UNSTORED.labels(why.reason).inc()
    log.error(STAYS, extra={**of_record(record), "why": str(why)})


def _count(outcomes: Sequence[LogOutcome]) -> None:
    now = time.time()
    logged = [outcome for outcome in outcomes if isinstance(outcome, Logged)]
    for outcome in outcomes:
        if isinstance(outcome, Skipped):
            NOT_WRITTEN.labels(outcome.reason).inc()
    for status, count in Tally(outcome.status for outcome in logged).items():
        EXECUTIONS.labels(status if status in _STATUSES else "other").inc(count)
    DELAY.observe_all(max(0.0, now - outcome.executed_at.timestamp()) for outcome in logged)
    EVENT_TO_ROW.observe_all(_ages(logged, now))
    LATE.inc(sum(outcome.late for outcome in logged))


def _ages(logged: Sequence[Logged], now: float) -> Iterator[float]:
    for outcome in logged:
        at = parse_time(outcome.event_at) if outcome.event_at is not None else None
        if at is not None:
            yield max(0.0, now - at / _NANOSECONDS)
