"""What alerts are judged by, of what processes say of themselves."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from app.domain.alert_rules import ROLES
from app.domain.alert_states import Reading
from app.ports.heartbeats import Heartbeat

# A process writes every ten seconds: three that are missing are no accident.
SILENT_S: Final = 30.0
_STILL: Final = "headrace_partition_still_seconds"
_TRIAL: Final = "headrace_partitions_on_trial"
_TABLE: Final = "headrace_workflow_table_age_seconds"
_COUNTED: Final = {
    "dead_letters": ("headrace_dead_letters_total",),
    "duplicates": ("headrace_unexpected_duplicates_total",),
    "internal_errors": ("headrace_background_failures_total", "headrace_http_errors_total"),
}


def of_heartbeats(beats: Sequence[Heartbeat]) -> Mapping[str, Reading]:
    """Return the readings that heartbeats hold, by name."""
    living = [beat for beat in beats if not beat.stopped and beat.age_s < SILENT_S]
    roles = {beat.process.role for beat in living}
    return {
        "absent_roles": {role: float(role not in roles) for role in ROLES},
        "starts": _by_role(beats, lambda beat: float(beat.starts), max),
        "partition_still": _by_role(living, lambda beat: beat.figures.get(_STILL, 0.0), max),
        "on_trial": _by_role(living, lambda beat: beat.figures.get(_TRIAL, 0.0), lambda one, other: one + other),
        "table_age": {"": max((beat.figures.get(_TABLE, 0.0) for beat in living), default=0.0)},
        **{reading: _counters(beats, names) for reading, names in _COUNTED.items()},
    }


def _by_role(
    beats: Sequence[Heartbeat], value: Callable[[Heartbeat], float], join: Callable[[float, float], float]
) -> Reading:
    found: dict[str, float] = {}
    for beat in beats:
        role = beat.process.role
        found[role] = join(found[role], value(beat)) if role in found else value(beat)
    return found


def _counters(beats: Sequence[Heartbeat], names: Sequence[str]) -> Reading:
    """Return each process's counters under ``role/instance``: one that starts anew counts from nought again."""
    return {
        f"{beat.process.role}/{beat.process.instance}": sum(beat.figures.get(name, 0.0) for name in names)
        for beat in beats
    }
