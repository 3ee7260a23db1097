"""The clock that is wrong: the time of day goes wrong and right again as a file says, intervals and waits stay true."""

import os
import sys
from pathlib import Path

from tests.faults.clock import HOUR_S, build_clock, set_clock, told_time
from tests.support.waiting import finished

_LOOKS = """
import datetime, time
steady = time.monotonic()
print(time.time(), datetime.datetime.now().timestamp())
time.sleep(0.01)
print(time.monotonic() - steady)
"""


def looks(told: Path) -> tuple[float, float, float]:
    """Return what a process thinks that the time is, twice, and how long a wait seemed to it."""
    done = finished([sys.executable, "-c", _LOOKS], within=30, env={**os.environ, **told_time(told)})
    first, second, waited = map(float, done.stdout.split())
    return first, second, waited


def test_a_clock_is_as_wrong_as_it_is_told(tmp_path: Path) -> None:
    """Ahead by an hour, then right again; an interval is never an hour."""
    told = tmp_path / "clock" / "off"
    build_clock(told)
    right = looks(told)
    set_clock(told, HOUR_S)
    ahead = looks(told)
    set_clock(told, 0)
    again = looks(told)
    assert HOUR_S <= ahead[0] - right[0] < HOUR_S + 600
    assert HOUR_S <= ahead[1] - right[1] < HOUR_S + 600
    assert 0 <= again[0] - right[0] < 600
    assert max(right[2], ahead[2], again[2]) < 600
