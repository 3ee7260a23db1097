"""Who of an installation is there and ready, who is not, and who is missing: judged from heartbeats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from app.ports.heartbeats import Heartbeat

State = Literal["ready", "not ready", "lost", "gone", "stopped", "absent"]

# Three heartbeats are missing.
LOST_S: Final = 30.0
# Whose place another process of the role has taken by then is nobody's concern: a worker that was scaled away.
GONE_S: Final = 600.0
WRONG: Final = frozenset[State]({"not ready", "lost", "absent"})


@dataclass(frozen=True, slots=True)
class Present:
    """One process of an installation, or a role that has none.

    Attributes:
        role: Its role.
        state: ``lost``: it was not seen for half a minute, and did not end in an orderly way; ``gone``: for ten, and
            another one does its work; ``absent``: the role has no process at all.
        why: Why it is not ready, and since when it is lost.
        instance: Its id; empty where there is none, as what follows is.
        host: Where it runs.
        version: Headrace's.
        up_s: Seconds since its start.
        restarts: How often its role and instance was started again within ten minutes.
        lag: Records that its role has not finished, all processes together; None: not known, or none is read.
    """

    role: str
    state: State
    why: str = ""
    instance: str = ""
    host: str = ""
    version: str = ""
    up_s: float | None = None
    restarts: int = 0
    lag: int | None = None


def roll_call(
    rows: Sequence[Heartbeat], expected: Sequence[str], lag: Mapping[str, int], now: datetime
) -> list[Present]:
    """Judge every process, by role; roles that are expected come in their order, others behind them.

    Args:
        rows: Every heartbeat.
        expected: Roles that the installation has.
        lag: Records that a role has not finished, as far as that is known.
        now: The time.
    """
    others = sorted({row.process.role for row in rows} - set(expected))
    return [
        one
        for role in (*expected, *others)
        for one in _of_role(role, rows, lag.get(role), now, expected=role in expected)
    ]


def _of_role(role: str, rows: Sequence[Heartbeat], lag: int | None, now: datetime, *, expected: bool) -> list[Present]:
    own = [row for row in rows if row.process.role == role]
    works = any(not row.stopped and row.age_s < LOST_S for row in own)
    found = [_judge(row, lag, now, works=works or not expected) for row in own]
    if expected and not any(one.state in ("ready", "not ready", "lost") for one in found):
        found.append(Present(role, "absent", "no process of this role is there", lag=lag))
    return found


def _judge(row: Heartbeat, lag: int | None, now: datetime, *, works: bool) -> Present:
    process, state, why = row.process, _state(row, works=works), ""
    if state == "not ready":
        why = "; ".join(f"{name}: {text}" for name, text in row.problems.items())
    elif state in ("lost", "gone"):
        why = f"not seen for {spoken(row.age_s)}"
    up = (now - process.started_at).total_seconds() if state in ("ready", "not ready") else None
    return Present(
        process.role, state, why, process.instance, process.host, process.version, up, max(0, row.starts - 1), lag
    )


def _state(row: Heartbeat, *, works: bool) -> State:
    if row.stopped:
        return "stopped"
    if row.age_s >= LOST_S:
        return "gone" if works and row.age_s >= GONE_S else "lost"
    return "not ready" if row.problems else "ready"


def spoken(seconds: float) -> str:
    """Return a time as people say it: ``45s``, ``12m``, ``5h``, ``3d``."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"
