"""When which fault is caused: every role in turn, with time to recover before the next one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Final

KINDS: Final = ("kill", "freeze")
FREEZE_S: Final = 30.0
# Until the next fault: a worker that was killed is ready again after some seconds.
_SLOT_S: Final = {"kill": 10.0, "freeze": FREEZE_S + 10.0}
_BEGINS: Final = 0.08
_ENDS: Final = 0.88


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that is to be caused, ``at`` seconds after the load began."""

    at: float
    kind: str
    role: str

    @property
    def words(self) -> str:
        """What is done, in words."""
        what = "kill -9" if self.kind == "kill" else f"SIGSTOP for {FREEZE_S:.0f} s"
        return f"{what} of {self.role}"


def schedule(kinds: Sequence[str], roles: Sequence[str], seconds: float) -> list[Fault]:
    """Return the faults of a run: each kind on each role in turn, and again, as long as there is time for it."""
    left = seconds * (_ENDS - _BEGINS)
    chosen: list[tuple[str, str]] = []
    for kind, role in cycle([(kind, role) for kind in kinds for role in roles]):
        if left < _SLOT_S[kind]:
            break
        left -= _SLOT_S[kind]
        chosen.append((kind, role))
    spare = left / len(chosen) if chosen else 0.0  # what is left over is more time between them
    at, faults = seconds * _BEGINS, []
    for kind, role in chosen:
        faults.append(Fault(round(at, 1), kind, role))
        at += _SLOT_S[kind] + spare
    return faults


def shortest(kinds: Sequence[str]) -> float:
    """Return the seconds that a run takes at the least in which there is a fault."""
    return _SLOT_S[kinds[0]] / (_ENDS - _BEGINS)


def left_out(kinds: Sequence[str], roles: Sequence[str], planned: Sequence[Fault]) -> list[str]:
    """Say which faults there is no time for."""
    there = {(one.kind, one.role) for one in planned}
    return [f"{kind} {role}" for kind in kinds for role in roles if (kind, role) not in there]
