"""What follows from incoming records is sent; what is refused of it ends as a failed step, a row or a dead letter."""

from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY

from app.domain.errors import PoisonError, UnreachableError
from app.execution.routing import Router
from app.ports import Record, Refusal
from app.services.delivery.dead_letters import DeadLetters
from app.services.delivery.sending import Delivery
from app.topics import Topics
from schemas.command import Command
from schemas.dead_letter import DeadLetter
from schemas.event import CUT
from schemas.execution import Execution
from tests.support.records import FakeRecord, cloud_event
from tests.support.sender import MemorySender
from tests.support.slips import NOW, action, command, command_record

TOPICS = Topics("t.")
ROUTER = Router(TOPICS, frozenset({"apply_tag", "webhook"}))
ALL = frozenset({"t.actions.apply_tag", "t.actions.webhook", "t.executions", "t.dead-letters"})
REFUSAL = Refusal("too_large", "too large")
CAUSE = FakeRecord(b"what came in", topic="t.events.order", partition=3, offset=9)


class World:
    """A delivery over a sender that refuses what the test says."""

    def __init__(self, *missing: str, **most: int) -> None:
        self.sender = MemorySender(ALL - set(missing))
        self.sender.most = {TOPICS.executions if name == "executions" else name: size for name, size in most.items()}
        letters = DeadLetters(topics=TOPICS, sender=self.sender, role="test", clock=lambda: NOW)
        self.delivery = Delivery(self.sender, letters, ROUTER.refused)

    @property
    def ended(self) -> list[Execution]:
        """Executions that ended."""
        return [Execution.model_validate_json(record.value or b"") for record in self.sender.on("t.executions")]

    @property
    def letters(self) -> list[DeadLetter]:
        """Dead letters."""
        return [DeadLetter.model_validate_json(record.value or b"") for record in self.sender.on("t.dead-letters")]


def refused_so_far() -> float:
    """Return what has been counted as refused, over all reasons."""
    reasons = ("too_large", "no_topic", "refused")
    return sum(REGISTRY.get_sample_value("headrace_records_refused_total", {"reason": one}) or 0 for one in reasons)


def slip(made: Command, topic: str = "t.actions.apply_tag") -> Record:
    """Return a command's record, as an agent sends it."""
    return Record(topic, b"c1", command_record(made).value, cause=CAUSE)


async def test_a_step_that_cannot_be_sent_fails_and_the_slip_goes_on() -> None:
    """Its topic is missing: the step fails by name, and the next one's command is sent; the others are not held up."""
    world = World("t.actions.webhook")
    two = command(action("webhook"), action(tag="b", order=2))
    fine = slip(command(action(tag="a")))
    await world.delivery.send_all([slip(two, "t.actions.webhook"), fine])
    others, following = world.sender.on("t.actions.apply_tag")
    assert others == fine
    (failed,) = Command.model_validate_json(following.value or b"").results
    assert (failed.step, failed.status) == (0, "failed")
    assert failed.error == "its command could not be sent to t.actions.webhook: no_topic: the topic does not exist"


async def test_an_execution_without_a_step_that_can_be_sent_ends_as_one_row() -> None:
    """Every step's topic is missing: one failed row says so of each, and nothing is dead-lettered."""
    world = World("t.actions.webhook", "t.actions.apply_tag")
    await world.delivery.send_all([slip(command(action("webhook"), action(tag="b", order=2)), "t.actions.webhook")])
    (execution,) = world.ended
    assert (execution.status, len(execution.results)) == ("failed", 2)
    assert not world.letters


async def test_an_execution_too_large_for_its_row_is_cut() -> None:
    """The row keeps ids, statuses and errors; the event's data and the outputs go, with a mark."""
    world = World(executions=2000)
    event = cloud_event(data={"note": "x" * 5000})
    ended = ROUTER.refused(slip(command(action(tag="a"), event=event)), REFUSAL)
    assert ended is not None
    await world.delivery.send_all([ended])
    (execution,) = world.ended
    assert (execution.event["id"], execution.event[CUT], "data" in execution.event) == (event["id"], True, False)
    assert [one.status for one in execution.results] == ["failed"]


async def test_where_no_row_can_be_sent_the_record_it_came_from_is_a_dead_letter() -> None:
    """The letter has the incoming record's place and bytes, so that it can be replayed."""
    world = World("t.executions", "t.actions.apply_tag")
    await world.delivery.send_all([slip(command(action(tag="a")))])
    (letter,) = world.letters
    assert (letter.topic, letter.partition, letter.offset, letter.reason) == ("t.events.order", 3, 9, "unsendable")
    assert "no_topic" in letter.detail


@pytest.mark.parametrize(
    "odd",
    [
        lambda: Record("t.events.order", b"k", b"x" * 2_000_000, cause=CAUSE),
        lambda: Record("t.events.nowhere", b"k", b'{"id":"e-1"}', cause=CAUSE),
        lambda: Record("no topic", b"k", None, cause=CAUSE),
        lambda: Record("t.events.order", b"k", b"v", (("h", b"x" * 1_200_000),), cause=CAUSE),
    ],
)
async def test_anything_else_that_is_refused_is_a_dead_letter_of_its_cause(odd: Callable[[], Record]) -> None:
    """An event of a source, say: what it came from is kept, the rest of the batch is sent, each in its order."""
    world = World()
    before = refused_so_far()
    fine = [slip(command(action(tag=name))) for name in "ab"]
    await world.delivery.send_all([fine[0], odd(), fine[1]])
    assert world.sender.on("t.actions.apply_tag") == fine
    assert [letter.offset for letter in world.letters] == [9]
    assert refused_so_far() == before + 1


async def test_a_dead_letter_too_large_for_its_topic_goes_without_the_originals_bytes() -> None:
    """Better a letter that says where the original stands than none."""
    world = World(**{"t.dead-letters": 1000})
    letters = DeadLetters(topics=TOPICS, sender=world.sender, role="test", clock=lambda: NOW)
    await world.delivery.send_all([letters.build(FakeRecord(b"x" * 50_000, offset=4), PoisonError("not_json", "no"))])
    (letter,) = world.letters
    assert (letter.offset, letter.value, letter.size, letter.cut) == (4, None, 50_000, True)


async def test_who_takes_no_dead_letters_is_not_told_that_all_is_well() -> None:
    """Without a topic for dead letters nothing may be acked."""
    world = World("t.dead-letters", "t.actions.webhook", "t.executions")
    with pytest.raises(UnreachableError, match="no dead letters"):
        await world.delivery.send_all([slip(command(action("webhook")), "t.actions.webhook")])


async def test_kafka_away_is_no_refusal() -> None:
    """Nothing is ended or dead-lettered while Kafka does not answer."""
    world = World()
    world.sender.reachable = False
    with pytest.raises(UnreachableError):
        await world.delivery.send_all([slip(command(action(tag="a")))])
    assert not world.sender.records


def test_what_is_sent_instead_comes_to_an_end() -> None:
    """However long the workflow: each record that is sent instead is nearer to the end than the one before."""
    record: Record | None = slip(command(*(action(tag="a", order=n) for n in range(50))))
    made = 0
    while record is not None:
        record = ROUTER.refused(record, REFUSAL)
        made += 1
    assert made == 52


_NO_SLIPS = (None, b"", b"\xff" * 9, b"{", b"[]", b"7", b'{"event": 5, "results": 5}', b'{"results": [{}]}')


@pytest.mark.parametrize("value", _NO_SLIPS)
@pytest.mark.parametrize("topic", [ROUTER.topics.executions, ROUTER.topics.actions("apply_tag", "normal")])
def test_of_what_is_no_slip_nothing_is_sent_instead(topic: str, value: bytes | None) -> None:
    """A row of the outbox may hold anything: it is set aside then, and the relay goes on."""
    assert ROUTER.refused(Record(topic, b"k", value), REFUSAL) is None


def test_of_a_slip_past_its_last_step_nothing_is_sent_instead() -> None:
    """There is no step that could fail."""
    past = command(action(tag="a"))
    past.step = 7
    assert ROUTER.refused(slip(past), REFUSAL) is None
