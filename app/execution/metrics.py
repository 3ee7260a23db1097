"""Metrics of the executors; labels are bounded (never ids)."""

from prometheus_client import Counter

ACTIONS = Counter("headrace_actions_total", "Actions carried out, by type and outcome", ["action_type", "outcome"])
WALLS = Counter(
    "headrace_walls_total", "Work that took more CPU than it may, by what and what became of it", ["what", "outcome"]
)
BLOCKED = Counter(
    "headrace_executions_blocked_total", "Executions that loops, budgets or quotas kept from starting", ["reason"]
)
DROPPED = Counter("headrace_commands_dropped_total", "Copies of commands that did not run, by reason", ["reason"])
PARKED = Counter("headrace_commands_parked_total", "Commands that wait in the timers instead of in a worker")
LEASES_LOST = Counter(
    "headrace_leases_lost_total", "Results that were not stored, because the lease was lost meanwhile"
)
