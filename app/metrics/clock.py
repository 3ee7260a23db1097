"""How far a process's machine is from the time that all processes share."""

from typing import Final

from app.metrics.families import Families

FAMILIES: Final = Families("the shared clock")

CLOCK_OFF: Final = FAMILIES.gauge(
    "headrace_clock_off_seconds", "How much this machine's clock is ahead of Postgres's, which counts; below 0: behind"
)
