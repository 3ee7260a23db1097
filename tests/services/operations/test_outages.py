"""An outage is waited out and said once each way, and nothing else is."""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

import pytest

from app.domain.errors import InvalidError, UnreachableError
from app.services.operations.outages import Outage, Pauses, said_to_lead, same_pauses, serve_for_ever, until_served

LOG = logging.getLogger("test")


class Clock:
    """Seconds that go by as a test says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Away:
    """Something that is away for its first calls, and then serves."""

    def __init__(self, times: int, error: Exception | None = None) -> None:
        self.left = times
        self.calls = 0
        self._error = error or UnreachableError("it does not answer")

    async def run(self) -> str:
        """Answer, or fail."""
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self._error
        return "served"


def outage(clock: Callable[[], float] = monotonic) -> Outage:
    """Return an outage that is said in the test's log."""
    return Outage("Kafka", LOG, clock=clock)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged."""
    assert all(record.levelno == logging.WARNING for record in caplog.records)
    return [record.getMessage() for record in caplog.records]


async def test_what_is_away_is_asked_again_until_it_serves(caplog: pytest.LogCaptureFixture) -> None:
    """However often it is asked, the log says twice what happened: away, and back after how long."""
    away = Away(30)
    assert await until_served(away.run, same_pauses(0), outage=outage(), limit_s=60) == "served"
    assert said(caplog) == ["Kafka is away", "Kafka serves again"]
    first, last = caplog.records
    assert vars(first).items() >= {"outage": "Kafka", "why": "it does not answer"}.items()
    assert vars(last).items() >= {"outage": "Kafka", "away_s": 0.0, "failures": 30}.items()


async def test_many_who_wait_for_the_same_say_it_once(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred batches find Postgres away, some longer than others: two lines, and none from who is served at once."""
    one = outage()
    waits = [until_served(Away(n % 7).run, same_pauses(0), outage=one, limit_s=60) for n in range(100)]
    await asyncio.gather(*waits)
    assert said(caplog) == ["Kafka is away", "Kafka serves again"]


def test_an_outage_says_how_long_it_was(caplog: pytest.LogCaptureFixture) -> None:
    """From the first failure to the first success after the last one, not to when the last who waited had its turn."""
    clock = Clock()
    one = outage(clock)
    one.failed(UnreachableError("no"))
    one.wait_begins()
    clock.now += 12.34
    one.served()
    clock.now += 60
    one.wait_ends()
    one.served()
    one.served()
    assert said(caplog) == ["Kafka is away", "Kafka serves again"]
    assert vars(caplog.records[1])["away_s"] == 12.3
    assert not one.lasts


def test_what_is_over_with_the_next_try_is_no_outage(caplog: pytest.LogCaptureFixture) -> None:
    """A deadlock is said each time, and nothing is away."""
    one = Outage("Postgres", LOG, passing=lambda error: "deadlock" in str(error))
    one.failed(UnreachableError("deadlock"))
    one.served()
    assert said(caplog) == ["Postgres: tried again"]


async def test_an_outage_over_the_limit_is_raised() -> None:
    """The last error itself."""
    away = Away(10**6)
    with pytest.raises(UnreachableError, match="it does not answer"):
        await until_served(away.run, same_pauses(0.001), outage=outage(), limit_s=0)
    assert away.calls == 2


async def test_what_is_no_outage_is_raised_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """Trying again cannot help there."""
    away = Away(1, InvalidError([]))
    with pytest.raises(InvalidError):
        await until_served(away.run, same_pauses(0), outage=outage(), limit_s=60)
    assert (away.calls, said(caplog)) == (1, [])


async def test_pauses_double_up_to_the_longest_and_begin_anew() -> None:
    """So that a short outage costs little, and a long one no load."""
    pauses = Pauses(0.001, 0.003)
    seen = []
    for _ in range(4):
        seen.append(pauses.next_s)
        await pauses.wait()
    pauses.reset()
    assert [*seen, pauses.next_s] == [0.001, 0.002, 0.003, 0.003, 0.001]


async def test_serving_goes_on_after_outages_and_ends_with_other_errors(caplog: pytest.LogCaptureFixture) -> None:
    """The log says what was away and that it serves again, once each."""
    away = Away(2)

    async def serve() -> None:
        if await away.run() and away.calls > 4:
            raise LookupError

    with pytest.raises(LookupError):
        await serve_for_ever(outage(), serve, same_pauses(0))
    assert away.calls == 5
    assert said(caplog) == ["Kafka is away", "Kafka serves again"]


def test_who_leads_says_so_and_how_long(caplog: pytest.LogCaptureFixture) -> None:
    """When it begins, and when it ends by an error; an end that was asked for is none."""
    clock = Clock()

    def lead(error: BaseException) -> None:
        with said_to_lead("relay", LOG, clock):
            clock.now += 5
            raise error

    with caplog.at_level(logging.INFO):
        with pytest.raises(UnreachableError):
            lead(UnreachableError("gone"))
        with pytest.raises(asyncio.CancelledError):
            lead(asyncio.CancelledError())
    messages = ["relay: this process leads", "relay: this process leads no more", "relay: this process leads"]
    assert [record.getMessage() for record in caplog.records] == messages
    assert vars(caplog.records[1])["led_s"] == 5.0
