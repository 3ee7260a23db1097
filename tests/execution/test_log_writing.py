"""The sink's two processors, over ports."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest
from prometheus_client import REGISTRY

from app.domain.errors import UnreachableError
from app.execution.log_writing import DeadLetterSink, Sink
from app.ports.execution_log import Logged, LogOutcome, Refused, Repeated, Skipped
from app.services.delivery.dead_letters import DeadLetters
from app.topics import Topics
from schemas.dead_letter import DeadLetter
from tests.support.records import FakeRecord
from tests.support.sender import MemorySender

TOPICS = Topics("t.")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class FakeLog:
    """Answers as it is told; implements both of the sink's stores."""

    def __init__(self) -> None:
        self.answers: dict[str, LogOutcome] = {}
        self.repeated: set[str] = set()
        self.written: list[str] = []
        self.away = False

    async def write(self, documents: Sequence[str]) -> list[LogOutcome]:
        """Write; see :class:`app.ports.execution_log.LogWriter`."""
        if self.away:
            raise UnreachableError("away")
        self.written.extend(documents)
        return [self.answers.get(document, Logged("success", NOW, late=False)) for document in documents]

    async def store(self, documents: Sequence[str]) -> list[Refused | Repeated | None]:
        """Store; see :class:`app.ports.execution_log.DeadLetterStore`."""
        answers = zip(documents, await self.write(documents), strict=True)
        return [
            answer if isinstance(answer, Refused) else Repeated() if document in self.repeated else None
            for document, answer in answers
        ]


@pytest.fixture
def log() -> FakeLog:
    """A log."""
    return FakeLog()


@pytest.fixture
def sender() -> MemorySender:
    """A sender."""
    return MemorySender()


@pytest.fixture
def sink(log: FakeLog, sender: MemorySender) -> Sink:
    """A sink over both."""
    return Sink(log, DeadLetters(topics=TOPICS, sender=sender, role="sink", clock=lambda: NOW))


def execution(**fields: object) -> bytes:
    """Return an execution."""
    event = {"id": "e-1", "source": "/shop", "type": "order.paid"}
    ids = {"execution_id": str(UUID(int=1)), "workflow_id": str(UUID(int=2)), "entity": "c1", "event": event}
    told = {"attempt": 1, "version": 3, "conditions_met": True, "status": "success", "executed_at": NOW, "v": 1}
    return orjson.dumps({**ids, **told, **fields})


def record(value: bytes | None, offset: int = 0) -> FakeRecord:
    """Return a record of the executions topic."""
    return FakeRecord(value, topic=TOPICS.executions, offset=offset)


def letters(sender: MemorySender) -> list[DeadLetter]:
    """Return the dead letters that were sent."""
    return [DeadLetter.model_validate(orjson.loads(sent.value or b"")) for sent in sender.on(TOPICS.dead_letters)]


def counted(name: str, **labels: str) -> float:
    """Return a counter's value."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_batch_is_written_as_it_came(sink: Sink, log: FakeLog) -> None:
    """Values go to the log undecoded, in order; nothing is sent."""
    values = [execution(error="a"), execution(error="b", event_at="yesterday")]
    assert await sink.process([record(one) for one in values]) == []
    assert log.written == [one.decode() for one in values]


_STEP = {"step": 0, "action_type": "webhook", "status": "success", "executed_at": NOW}


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"status": "x"}, "status"),
        ({"attempt": -1}, "attempt"),
        ({"attempt": 2**31}, "attempt"),
        ({"attempt": "1"}, "attempt"),
        ({"version": -3}, "version"),
        ({"duration_ms": -1}, "duration_ms"),
        ({"duration_ms": 1.5}, "duration_ms"),
        ({"event": "x"}, "event"),
        ({"verdicts": {}}, "verdicts"),
        ({"verdicts": [1]}, "verdicts[0]"),
        ({"results": "x"}, "results"),
        ({"results": [{**_STEP, "status": "x"}]}, "results[0].status"),
        ({"results": [{**_STEP, "output": []}]}, "results[0].output"),
        ({"entity": {"a": 1}}, "entity"),
        ({"entity": None}, "entity"),
        ({"v": "x"}, "v"),
        ({"v": 2}, "v"),
        ({"execution_id": "x"}, "execution_id"),
        ({"executed_at": "yesterday"}, "executed_at"),
        ({"executed_at": 1700000000}, "executed_at"),
        ({"conditions_met": "true"}, "conditions_met"),
        ({"error": {}}, "error"),
    ],
)
async def test_what_is_no_execution_is_a_dead_letter_that_names_the_field(
    sink: Sink, log: FakeLog, sender: MemorySender, wrong: dict[str, object], path: str
) -> None:
    """It would be a row that no list can read; its neighbours are written."""
    good = execution(results=[_STEP])
    await sender.send_all(await sink.process([record(execution(**wrong), 7), record(good)]))
    (letter,) = letters(sender)
    assert (letter.offset, letter.reason, letter.detail.partition(": ")[0]) == (7, "invalid_execution", path)
    assert log.written == [good.decode()]


async def test_what_lacks_a_field_or_is_no_json_is_a_dead_letter(sink: Sink, sender: MemorySender) -> None:
    """Named, too; a NUL character Postgres cannot store."""
    beyond = execution(event={"id": 1}).replace(b'"id":1', b'"id":1e999')
    bad = [b"{}", b"[]", b"{", execution(error="a\x00b"), beyond]
    await sender.send_all(await sink.process([record(one) for one in bad]))
    reasons = ["invalid_execution", "not_json", "not_json", "nul_character", "not_json"]
    assert [letter.reason for letter in letters(sender)] == reasons
    assert "`execution_id`" in letters(sender)[0].detail


async def test_what_can_never_be_written_is_a_dead_letter(sink: Sink, log: FakeLog, sender: MemorySender) -> None:
    """A tombstone, bytes that are no text, a row that Postgres refuses: each with its reason, neighbours written."""
    refused, good = execution(error="refused"), execution(error="good")
    log.answers[refused.decode()] = Refused("null value in column")
    bad = [record(None, 1), record(b"\xff", 2), record(refused, 3), record(good, 4)]
    await sender.send_all(await sink.process(bad))
    assert [(letter.offset, letter.reason, letter.role) for letter in letters(sender)] == [
        (1, "tombstone", "sink"),
        (2, "not_json", "sink"),
        (3, "refused", "sink"),
    ]
    assert letters(sender)[2].detail == "null value in column"
    assert good.decode() in log.written


async def test_a_log_that_is_away_leaves_the_batch_unacked(sink: Sink, log: FakeLog) -> None:
    """The failure reaches the caller, who then acks nothing."""
    log.away = True
    with pytest.raises(UnreachableError):
        await sink.process([record(execution())])


async def test_every_skip_is_counted_by_reason(sink: Sink, log: FakeLog) -> None:
    """A duplicate, another version, a lower attempt: none of them vanishes silently."""
    for reason in ("duplicate", "version", "attempt"):
        value = execution(error=reason)
        log.answers[value.decode()] = Skipped(reason)
        before = counted("headrace_executions_dropped_total", reason=reason)
        await sink.process([record(value)])
        assert counted("headrace_executions_dropped_total", reason=reason) == before + 1


async def test_executions_are_counted_by_status(sink: Sink, log: FakeLog) -> None:
    """A status that is none cannot add a label; a late row is counted as such."""
    values = [execution(error="a"), execution(error="b")]
    answers: list[LogOutcome] = [Logged("failed", NOW, late=True), Logged("made up", NOW, late=False)]
    log.answers = dict(zip([one.decode() for one in values], answers, strict=True))
    names = ("failed", "other")
    before = [counted("headrace_executions_total", status=name) for name in names]
    late = counted("headrace_executions_late_total")
    await sink.process([record(one) for one in values])
    assert [counted("headrace_executions_total", status=name) for name in names] == [count + 1 for count in before]
    assert counted("headrace_executions_late_total") == late + 1


async def test_dead_letters_are_stored(log: FakeLog) -> None:
    """The second processor stores what comes; what is none is counted by reason and does not hold up the rest."""
    log.answers["bad"] = Refused("no JSON")
    reasons = ("refused", "tombstone", "not_json")
    before = [counted("headrace_dead_letters_unstored_total", reason=reason) for reason in reasons]
    await DeadLetterSink(log, TOPICS).process(
        [record(b"good"), record(b"bad"), record(None), record(b"\xff"), record(b"last")]
    )
    assert log.written == ["good", "bad", "last"]
    after = [counted("headrace_dead_letters_unstored_total", reason=reason) for reason in reasons]
    assert after == [count + 1 for count in before]


@pytest.mark.parametrize(
    ("topic", "replayable"),
    [
        (TOPICS.events("order.paid"), True),
        (TOPICS.events("custom.x"), True),
        ("t.events.temporal", False),
        (TOPICS.events("temporal.daily"), False),
        (TOPICS.internal_events, False),
        (TOPICS.actions("webhook", "normal"), False),
        (TOPICS.actions("send_email", "high"), False),
        (TOPICS.executions, False),
        (TOPICS.dead_letters, False),
        (TOPICS.listener_letters, False),
        (TOPICS.workflows_changelog, False),
        ("elsewhere", False),
        (["t.events.order"], False),
        (None, False),
    ],
)
async def test_a_listeners_letter_is_barred_from_what_is_not_theirs(
    log: FakeLog, topic: object, *, replayable: bool
) -> None:
    """Whatever role, digest and verdict it claims; the same letter of a role of ours is stored as it is."""
    forged = orjson.dumps({"topic": topic, "role": "matcher", "digest": "d", "barred": None, "reason": "x"})
    letter = FakeRecord(forged, topic=TOPICS.listener_letters)
    await DeadLetterSink(log, TOPICS).process([letter, replace(letter, topic=TOPICS.dead_letters)])
    theirs, ours = map(orjson.loads, log.written)
    assert (theirs["role"], theirs["digest"], theirs["reason"]) == ("subscriber", "subscriber:d", "x")
    assert (theirs["barred"] is None) is replayable
    assert ours == orjson.loads(forged)


async def test_what_a_listener_sends_that_is_no_letter_stays_in_kafka(log: FakeLog) -> None:
    """Counted by reason, and the next one is stored."""
    before = counted("headrace_dead_letters_unstored_total", reason="not_json")
    values = [b"[]", b"{", b'{"topic": "t.events.order"}']
    await DeadLetterSink(log, TOPICS).process([FakeRecord(value, topic=TOPICS.listener_letters) for value in values])
    assert [orjson.loads(one)["topic"] for one in log.written] == ["t.events.order"]
    assert counted("headrace_dead_letters_unstored_total", reason="not_json") == before + 2


async def test_a_dead_letter_that_is_there_already_is_counted(log: FakeLog) -> None:
    """A conflict is no error, and no secret either."""
    log.repeated = {"again"}
    before = counted("headrace_dead_letters_repeated_total")
    await DeadLetterSink(log, TOPICS).process([record(b"again"), record(b"new"), record(b"again")])
    assert counted("headrace_dead_letters_repeated_total") == before + 2
