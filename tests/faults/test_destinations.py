"""The fickle destination: what it answers, and what it leaves at the receiver behind it."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from app.embedded.free_ports import HOST
from app.embedded.webhook_receiver import WebhookReceiver
from tests.faults.destinations import MOODS, Fickle, fickle
from tests.support.waiting import eventually, in_time

_SOON_S = 20


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """Behind the destination."""
    receiver = WebhookReceiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


def request(key: str) -> bytes:
    """Return a webhook as it goes over the wire."""
    return f"POST /x HTTP/1.1\r\nHost: h\r\nIdempotency-Key: {key}\r\nContent-Length: 2\r\n\r\nhi".encode()


def keys(receiver: WebhookReceiver) -> list[str]:
    """Return what has arrived."""
    return [delivery.key for delivery in receiver.deliveries]


async def sent(front: Fickle, key: str) -> bytes:
    """Send one webhook, say that nothing follows, and return all that is answered."""
    reader, writer = await asyncio.open_connection(HOST, front.port)
    writer.write(request(key))
    writer.write_eof()
    try:
        return await in_time(reader.read(), _SOON_S, what="the end of the answer")
    finally:
        writer.close()


async def test_in_a_good_mood_it_passes_on(receiver: WebhookReceiver) -> None:
    """The receiver's own answer comes back."""
    async with fickle(receiver.port, random.Random(1)) as front:
        answer = await sent(front, "one")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b'{"taken":true}')
    assert keys(receiver) == ["one"]


async def test_every_mood_is_shown_and_the_receiver_has_what_happened(receiver: WebhookReceiver) -> None:
    """Some of it after the effect, some without; what the destination refused has not happened."""
    async with fickle(receiver.port, random.Random(1)) as front:
        front.moody = 1.0
        answers = await asyncio.gather(*(sent(front, f"k{n}") for n in range(40)))
        happened = sum(count for (_, effect), count in front.shown.items() if effect)
        await eventually(lambda: len(receiver.deliveries) == happened, what="what has happened")
        shown = set(front.shown)
    assert {mood for mood, _ in shown} == set(MOODS)
    assert {("half-open", True), ("half-open", False), ("cut", True), ("garbage", False)} <= shown
    assert not {("refusing", True), ("slow", False), ("cut", False)} & shown
    assert {answer[:12] for answer in answers} > {b"", b"HTTP/1.1 503", b"HTTP/1.1 200"}


async def test_the_third_attempt_is_always_answered(receiver: WebhookReceiver) -> None:
    """So that every command comes to its end within its attempts."""
    front = Fickle(receiver.port, random.Random(1))
    front.moody = 1.0
    moods = [front.mood_of(request("one"))[0] for _ in range(3)]
    assert moods[2] == "good"
    assert "good" not in moods[:2]
