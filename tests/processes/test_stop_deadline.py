"""A worker that was told to stop ends, if need be by force."""

from app.processes.stop_deadline import STOP_S, watch


class Time:
    """A clock that goes on by what is slept, and by when what."""

    def __init__(self, stops_at: float) -> None:
        self.now = 0.0
        self.ended: list[tuple[float, str]] = []
        self._stops_at = stops_at

    def stopping(self) -> bool:
        """Whether the stop has begun."""
        return self.now >= self._stops_at

    def sleep(self, seconds: float) -> None:
        """Let the time go by."""
        self.now += seconds

    def end(self, reason: str) -> None:
        """Note the end."""
        self.ended.append((self.now, reason))


def test_it_is_ended_a_minute_after_it_was_told_to_stop() -> None:
    """However long it ran before: not sooner, and with a reason."""
    time = Time(stops_at=3600)
    watch(time.stopping, time.end, lambda: time.now, time.sleep)
    ((at, reason),) = time.ended
    assert 3600 + STOP_S <= at <= 3600 + STOP_S + 2
    assert reason == "told to stop 60 s ago, and not at an end"
