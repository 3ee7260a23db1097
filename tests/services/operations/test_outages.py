"""An outage is waited out, and nothing else is."""

import logging

import pytest

from app.domain.errors import InvalidError, UnreachableError
from app.services.operations.outages import Pauses, same_pauses, serve_for_ever, until_served


class Away:
    """Something that is away for its first calls, and then serves."""

    def __init__(self, times: int, error: Exception | None = None) -> None:
        self.left = times
        self.calls = 0
        self.noted: list[str] = []
        self._error = error or UnreachableError("it does not answer")

    async def run(self) -> str:
        """Answer, or fail."""
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self._error
        return "served"

    def note(self, error: Exception) -> None:
        """Note an outage."""
        self.noted.append(str(error))


async def test_what_is_away_is_asked_again_until_it_serves() -> None:
    """Each outage is noted once."""
    away = Away(3)
    assert await until_served(away.run, same_pauses(0), note=away.note, limit_s=60) == "served"
    assert away.noted == ["it does not answer"] * 3


async def test_an_outage_over_the_limit_is_raised() -> None:
    """The last error itself."""
    away = Away(10**6)
    with pytest.raises(UnreachableError, match="it does not answer"):
        await until_served(away.run, same_pauses(0), note=away.note, limit_s=-1)
    assert away.calls == 1


async def test_what_is_no_outage_is_raised_at_once() -> None:
    """Trying again cannot help there."""
    away = Away(1, InvalidError([]))
    with pytest.raises(InvalidError):
        await until_served(away.run, same_pauses(0), note=away.note, limit_s=60)
    assert (away.calls, away.noted) == (1, [])


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
    """The log says what was away, and when it is tried again."""
    away = Away(2)

    async def serve() -> None:
        if await away.run() and away.calls > 4:
            raise LookupError

    with pytest.raises(LookupError):
        await serve_for_ever("relay", serve, same_pauses(0), logging.getLogger("test"))
    assert away.calls == 5
    assert [record.getMessage() for record in caplog.records] == ["relay: it does not answer; next try in 0.0 s"] * 2
