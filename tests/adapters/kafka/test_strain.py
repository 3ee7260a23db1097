"""How much of the CPU is taken."""

import pytest

from app.adapters.kafka.strain import LOOK_S, Strain, machine_times


class Machine:
    """Two cores, and a process on them, by a clock of its own."""

    def __init__(self, *, silent: bool = False) -> None:
        self.now = self.idle = self.total = self.own = self.used = 0.0
        self.limit = 0.0  # cores that the container may use; 0 for all
        self.looks = 0
        self._silent = silent
        self.strain = Strain(self._times, self._container, lambda: self.own, lambda: self.now)

    def _container(self) -> tuple[float, float]:
        allowed = self.limit * self.now
        return (allowed - self.used, allowed) if self.limit else (0.0, 0.0)

    def _times(self) -> tuple[float, float]:
        self.looks += 1
        return (0.0, 0.0) if self._silent else (self.idle, self.total)

    def live(self, seconds: float, *, idle: float, own: float) -> float:
        """Let time go by, so much of the cores idle and so much of one taken by the process; returns the strain."""
        for _ in range(int(seconds / LOOK_S)):
            self.now += LOOK_S
            self.total += 2 * LOOK_S
            self.idle += 2 * LOOK_S * idle
            self.own += LOOK_S * own
            self.used += LOOK_S * own
            strain = self.strain.look()
        return strain


@pytest.mark.parametrize(
    ("idle", "own", "strain"),
    [(1.0, 0.0, 0.0), (0.25, 0.1, 0.75), (0.5, 0.9, 0.9), (0.0, 0.2, 1.0), (1.0, 1.0, 1.0)],
    ids=["nothing runs", "others run", "this one runs", "nothing is left", "one core is full"],
)
def test_whichever_is_scarcer_counts(idle: float, own: float, strain: float) -> None:
    """The machine's cores, which others take too, or the one core that this process can use."""
    assert Machine().live(6, idle=idle, own=own) == pytest.approx(strain, abs=0.01)


@pytest.mark.parametrize(("limit", "strain"), [(0.5, 0.8), (0.4, 1.0), (0.2, 1.0), (4.0, 0.4)])
def test_what_a_container_may_use_counts(limit: float, strain: float) -> None:
    """Of half a core two fifths of one are most, whatever the machine has left; of four they are little."""
    machine = Machine()
    machine.limit = limit
    assert machine.live(6, idle=0.9, own=0.4) == pytest.approx(strain, abs=0.01)


def test_a_moment_alone_does_not_count_in_full() -> None:
    """A burst of a fifth of a second moves it by less than half; a second of it by most."""
    machine = Machine()
    machine.live(6, idle=1.0, own=0.0)
    assert machine.live(LOOK_S, idle=0.0, own=1.0) < 0.5
    assert machine.live(1, idle=0.0, own=1.0) > 0.85


def test_looks_between_two_looks_cost_nothing() -> None:
    """However often it is asked, the machine is asked a few times a second."""
    machine = Machine()
    before = machine.looks
    for _ in range(1000):
        machine.now += LOOK_S / 1001
        machine.strain.look()
    assert machine.looks == before


def test_where_the_machine_says_nothing_its_own_share_counts() -> None:
    """As without ``/proc``."""
    assert Machine(silent=True).live(6, idle=0.0, own=0.6) == pytest.approx(0.6, abs=0.01)


def test_this_machine_says_what_its_cores_do() -> None:
    """Idle time is part of all time, and neither goes back."""
    first, second = machine_times(), machine_times()
    assert 0 <= first[0] <= first[1]
    assert first <= second
