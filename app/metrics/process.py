"""What every process has: its version, its starts of late, and its background tasks."""

from typing import Final

from app.metrics.families import Families

FAMILIES: Final = Families("every process")

BUILD: Final = FAMILIES.gauge(
    "headrace_build_info", "1, by the version that runs", version="one a process", role="one a process"
)
STARTS: Final = FAMILIES.gauge(
    "headrace_process_starts_recent", "Starts of this role and instance within 10 minutes that no orderly end followed"
)
BACKGROUND_FAILURES: Final = FAMILIES.counter(
    "headrace_background_failures_total", "What failed in background tasks, by task", task="the tasks in the code"
)
BACKGROUND_FAILING: Final = FAMILIES.gauge(
    "headrace_background_failing", "1 for a minute after something failed in the task", task="the tasks in the code"
)
