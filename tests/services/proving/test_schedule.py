"""Every role gets its turn, with time to recover, and what there is no time for is said."""

from itertools import pairwise
from typing import Final

import pytest

from app.services.proving.schedule import FREEZE_S, KINDS, left_out, schedule

_ROLES: Final = ("matcher", "sink", "scheduler")


def test_without_kinds_nothing_is_broken() -> None:
    """The default."""
    assert not schedule((), _ROLES, 600)
    assert not left_out((), _ROLES, [])


@pytest.mark.parametrize("seconds", [60, 120, 300, 600, 3600])
def test_faults_leave_time_between_them(seconds: float) -> None:
    """The next begins ten seconds after the last was over at the earliest; all are over before the load is."""
    planned = schedule(KINDS, _ROLES, seconds)
    over = [one.at + (FREEZE_S if one.kind == "freeze" else 0) for one in planned]
    assert all(after.at - before >= 9.8 for before, after in zip(over[:-1], planned[1:], strict=True))
    assert over[-1] < seconds
    assert [one.at for one in planned] == sorted(one.at for one in planned)


def test_each_kind_befalls_each_role_in_turn() -> None:
    """All kills, then all freezes, and again."""
    planned = schedule(KINDS, _ROLES, 900)
    first = [(one.kind, one.role) for one in planned[:6]]
    assert first == [(kind, role) for kind in KINDS for role in _ROLES]
    assert [(one.kind, one.role) for one in planned[6:9]] == first[:3]
    assert not left_out(KINDS, _ROLES, planned)


def test_what_there_is_no_time_for_is_said() -> None:
    """A run of half a minute has time for two kills."""
    planned = schedule(("kill",), _ROLES, 30)
    assert [one.words for one in planned] == ["kill -9 of matcher", "kill -9 of sink"]
    assert left_out(("kill",), _ROLES, planned) == ["kill scheduler"]


def test_moments_are_spread_over_the_load() -> None:
    """What time is left over lies between them, not at the end."""
    planned = schedule(("kill",), _ROLES, 50)
    gaps = [after.at - before.at for before, after in pairwise(planned)]
    assert max(gaps) - min(gaps) < 0.2
