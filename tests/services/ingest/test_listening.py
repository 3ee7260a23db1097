"""Handlers of events: called at least once, tried again, and given up into the dead letters."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from prometheus_client import REGISTRY

from app.domain.errors import InvalidError, UnreachableError
from app.ports import Record
from app.services.delivery.dead_letters import DeadLetters
from app.services.ingest.emitter import EventEmitter
from app.services.ingest.listening import Listening
from app.topics import Topics
from schemas.dead_letter import DeadLetter
from schemas.event import Event
from tests.support.records import cloud_event
from tests.support.sender import MemorySender
from tests.support.subscriber import MemoryGroup, MemorySubscriber
from tests.support.waiting import eventually, in_time

TOPICS = Topics("t.")


class World:
    """A listener over topics in memory; it notes how long it would have waited."""

    def __init__(self) -> None:
        self.sender = MemorySender()
        self.group = MemoryGroup(self.sender)
        self.waits: list[float] = []
        subscriber = MemorySubscriber(self.group)
        letters = DeadLetters(
            topics=TOPICS,
            sender=self.sender,
            role="subscriber",
            clock=lambda: datetime.now(UTC),
            reader=subscriber.group,
            to=TOPICS.listener_letters,
        )
        self.listening = Listening(subscriber, TOPICS, letters, self.sleep)
        self.emitter = EventEmitter(self.sender, TOPICS)
        self.seen: list[str] = []

    async def sleep(self, seconds: float) -> None:
        """Wait no time, but let others run."""
        self.waits.append(seconds)
        await asyncio.sleep(0.001)

    async def note(self, event: Event) -> None:
        """Handle an event by remembering its id."""
        self.seen.append(event.id)

    def failing(self, times: int, error: Exception) -> Callable[[Event], Awaitable[None]]:
        """Return a handler that fails so many times before it notes."""
        left = [times]

        async def handler(event: Event) -> None:
            if left[0]:
                left[0] -= 1
                raise error
            await self.note(event)

        return handler

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen in the background; what listening raises comes out here."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.listening.listen())
            yield
            task.cancel()

    async def emit(self, *ids: str, **changes: Any) -> None:
        """Emit paid orders of these ids."""
        for name in ids:
            await self.emitter.emit(cloud_event(id=name, **changes))

    async def handled(self, *ids: str) -> None:
        """Wait until exactly these were noted, in order, and left behind."""
        await eventually(lambda: self.seen == list(ids), what=f"{ids}", within=5)

    @property
    def letters(self) -> list[DeadLetter]:
        """Dead letters."""
        return [DeadLetter.model_validate_json(record.value or b"") for record in self.sender.on("t.listener-letters")]


async def test_a_handler_gets_events_of_its_type_only() -> None:
    """In order; other types on the same topic are passed over."""
    world = World()
    world.listening.on("order.paid", world.note)
    await world.emit("a")
    await world.emit("x", type="order.created")
    await world.emit("b")
    async with world.running():
        await world.handled("a", "b")
        await eventually(lambda: world.group.committed == {"t.events.order": 3})


async def test_every_handler_of_a_type_is_called_and_each_once() -> None:
    """Two handlers get the event; the one that was registered twice gets it once."""
    world = World()
    others: list[str] = []

    async def other(event: Event) -> None:
        others.append(event.id)

    for handler in (world.note, other, world.note):
        world.listening.on("order.paid", handler)
    await world.emit("a", "b")
    async with world.running():
        await world.handled("a", "b")
        await eventually(lambda: others == ["a", "b"])


async def test_off_ends_the_calls() -> None:
    """What comes after it goes to those handlers that are left."""
    world = World()
    rest: list[str] = []

    async def stays(event: Event) -> None:
        rest.append(event.id)

    world.listening.on("order.paid", world.note)
    world.listening.on("order.paid", stays)
    async with world.running():
        await world.emit("a")
        await world.handled("a")
        world.listening.off("order.paid", world.note)
        world.listening.off("order.created", world.note)  # was never on
        await world.emit("b")
        await eventually(lambda: rest == ["a", "b"])
    assert world.seen == ["a"]


async def test_a_handler_that_recovers_is_tried_again_and_keeps_the_order() -> None:
    """Two failures: called a third time after 1 and 2 seconds, before the next event of the partition."""
    world = World()
    world.listening.on("order.paid", world.failing(2, RuntimeError("busy")))
    await world.emit("a", "b")
    async with world.running():
        await world.handled("a", "b")
    assert world.waits == [1.0, 2.0]
    assert not world.letters


async def test_a_handler_that_fails_for_good_leaves_a_dead_letter_and_the_next_event_is_handled() -> None:
    """Four calls; the letter has the event, the handler's error by name only, and the other handler got it."""
    world = World()
    world.listening.on("order.paid", world.failing(4, RuntimeError("password=hunter2")))
    await world.emit("a", "b")
    async with world.running():
        await world.handled("b")
    (letter,) = world.letters
    assert world.waits == [1.0, 2.0, 4.0]
    assert (letter.topic, letter.offset, letter.reason) == ("t.events.order", 0, "handler_failed")
    assert (letter.detail, letter.role) == ("RuntimeError", "subscriber")


async def test_each_handler_that_fails_has_a_letter_of_its_own() -> None:
    """Two handlers of one group give the same event up: the letters name group and handler."""
    world = World()

    async def charge(_: Event) -> None:
        raise InvalidError([])

    async def greet(_: Event) -> None:
        raise InvalidError([])

    for handler in (charge, greet):
        world.listening.on("order.paid", handler)
    await world.emit("a")
    async with world.running():
        await eventually(lambda: len(world.letters) == 2)
    readers = [letter.reader for letter in world.letters]
    assert [reader.split("/")[0] for reader in readers] == ["members"] * 2
    assert [reader.split(".")[-1] for reader in readers] == ["charge", "greet"]
    assert {letter.event_id for letter in world.letters} == {"a"}


async def test_what_becomes_of_an_event_is_counted() -> None:
    """Also of one that no handler wants, and of one that is none, which the matcher has in the dead letters."""
    world = World()

    async def refuses(_: Event) -> None:
        raise InvalidError([])

    for handler in (world.note, refuses):
        world.listening.on("order.paid", handler)
    names = ("handled", "dead_letter", "no_handler", "unreadable")
    before = [outcomes(name) for name in names]
    await world.sender.send(Record("t.events.order", b"c1", b"{"))
    await world.emit("x", type="order.created")
    await world.emit("a")
    async with world.running():
        await eventually(lambda: [outcomes(name) for name in names] == [count + 1 for count in before])


def outcomes(name: str) -> float:
    """How many events have come to this."""
    return REGISTRY.get_sample_value("headrace_subscriber_events_total", {"outcome": name}) or 0.0


async def test_a_handler_that_is_cancelled_from_within_has_failed() -> None:
    """What it waited for was cancelled, not the listener: the event is tried again, not taken for handled."""
    world = World()
    left = [2]

    async def cancelled(event: Event) -> None:
        if left[0]:
            left[0] -= 1
            raise asyncio.CancelledError
        await world.note(event)

    world.listening.on("order.paid", cancelled)
    await world.emit("a", "b")
    async with world.running():
        await world.handled("a", "b")
    assert world.waits == [1.0, 2.0]


async def test_a_mistake_that_stays_one_is_not_tried_again() -> None:
    """An invalid event that a handler emits is no better the next time."""
    world = World()

    async def emits(_: Event) -> None:
        await world.emitter.emit(cloud_event(type="no-type"))

    world.listening.on("order.paid", emits)
    await world.emit("a")
    async with world.running():
        await eventually(lambda: world.letters)
    assert world.waits == []
    assert "type" in world.letters[0].detail


async def test_an_event_that_was_not_finished_comes_again() -> None:
    """A process that ends in a handler has left nothing behind; its successor's handler gets the event."""
    world = World()
    begun = asyncio.Event()

    async def hangs(_: Event) -> None:
        begun.set()
        await asyncio.Event().wait()

    world.listening.on("order.paid", hangs)
    await world.emit("a")
    async with world.running():
        await begun.wait()
    assert world.group.committed == {}


async def test_a_dead_letter_that_kafka_does_not_take_ends_listening() -> None:
    """The event is not left behind: the error comes out, and the next start begins with it."""
    world = World()
    world.listening.on("order.paid", world.failing(9, RuntimeError()))
    await world.emit("a")
    world.sender.reachable = False
    with pytest.raises(UnreachableError):
        await in_time(world.listening.listen(), 5, what="the end of listening")
    assert world.group.committed == {}


async def test_a_record_that_is_no_event_is_left_to_the_matcher() -> None:
    """It reads the same topic and has it in the dead letters; here it holds nobody up."""
    world = World()
    world.listening.on("order.paid", world.note)
    await world.sender.send(Record("t.events.order", b"k", b"{nope"))
    await world.emit("a")
    async with world.running():
        await world.handled("a")
    assert not world.letters


async def test_an_unknown_type_is_refused() -> None:
    """Nobody would ever be called."""
    with pytest.raises(InvalidError, match="order_payed"):
        World().listening.on("order_payed", World().note)


async def test_the_emitter_listens_with_a_subscriber_only() -> None:
    """``on``, ``off`` and ``listen`` of the emitter itself; without a subscriber it says what is missing."""
    world = World()
    emitter = EventEmitter(world.sender, TOPICS, MemorySubscriber(world.group))
    emitter.on("order.paid", world.note)
    await emitter.emit(cloud_event(id="a"))
    listening = asyncio.create_task(emitter.listen())
    await world.handled("a")
    emitter.off("order.paid", world.note)
    listening.cancel()
    for call in (world.emitter.on, world.emitter.off):
        with pytest.raises(TypeError, match="KafkaSubscriber"):
            call("order.paid", world.note)


def own(**changes: Any) -> Record:
    """An event that Headrace itself made, as it is on the internal topic."""
    return Record(TOPICS.internal_events, b"c1", orjson.dumps(cloud_event(**changes)))


async def test_events_that_headrace_makes_are_heard_by_type() -> None:
    """They are of every type, on one topic: a handler gets those of its own type, and nobody else's."""
    world = World()
    world.listening.on("tag.applied", world.note)
    await world.sender.send_all(
        [
            own(id="paid", type="order.paid", source="/headrace/sales"),
            own(id="tagged", type="tag.applied", source="/headrace/crm"),
        ]
    )
    await world.emitter.emit(cloud_event(id="from outside", type="tag.applied"))
    async with world.running():
        await eventually(lambda: sorted(world.seen) == ["from outside", "tagged"], what="both", within=5)
        await eventually(lambda: world.group.committed == {"t.events.tag": 1, "t.internal-events": 2})
    assert len(world.seen) == 2


@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        ({"source": "/headrace/sales"}, "reserved"),
        ({"type": "temporal.daily"}, "reserved"),
        ({"type": "customer.created"}, "wrong_topic"),
    ],
)
async def test_what_is_not_for_its_topic_is_not_heard(forged: dict[str, str], reason: str) -> None:
    """It is the matcher's dead letter, and counted here by its reason; the next event is handled."""
    world = World()
    for event_type in ("order.paid", "temporal.daily", "customer.created"):
        world.listening.on(event_type, world.note)
    before = REGISTRY.get_sample_value("headrace_subscriber_events_total", {"outcome": reason}) or 0
    value = orjson.dumps(cloud_event(id="forged", **forged))
    await world.sender.send(Record(TOPICS.events("order.paid"), b"c1", value))
    await world.emitter.emit(cloud_event(id="good"))
    async with world.running():
        await world.handled("good")
    assert world.seen == ["good"]
    assert REGISTRY.get_sample_value("headrace_subscriber_events_total", {"outcome": reason}) == before + 1


async def test_events_of_schedules_are_heard_from_the_internal_topic() -> None:
    """They are on no topic of others, so none is read for them."""
    world = World()
    world.listening.on("temporal.daily", world.note)
    await world.sender.send(own(id="due", type="temporal.daily", source="/headrace/scheduler"))
    async with world.running():
        await world.handled("due")
        await eventually(lambda: world.group.committed == {"t.internal-events": 1})
