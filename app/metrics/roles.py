"""Which role exports which families: those of the components that it runs, and no other."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    disable_created_metrics,
)

from app.metrics import (
    admin,
    clock,
    consumer,
    delivery,
    executor,
    matcher,
    process,
    scheduler,
    sink,
    sources,
    tracing,
    walls,
)
from app.metrics.families import Families

_WORKER: Final = (process.FAMILIES, consumer.FAMILIES, delivery.FAMILIES)
_EXECUTOR: Final = "executor"
GROUPS: Final = {
    "matcher": (*_WORKER, clock.FAMILIES, matcher.FAMILIES, walls.FAMILIES, tracing.FAMILIES),
    _EXECUTOR: (*_WORKER, clock.FAMILIES, executor.FAMILIES, walls.FAMILIES, tracing.FAMILIES),
    "sink": (*_WORKER, clock.FAMILIES, sink.FAMILIES, tracing.FAMILIES),
    "sources": (*_WORKER, sources.FAMILIES),
    "scheduler": (process.FAMILIES, delivery.FAMILIES, scheduler.FAMILIES),
    "admin": (process.FAMILIES, clock.FAMILIES, admin.FAMILIES),
}
"""By role; the executors' families of action types (``executor-crm``) are one role here."""


def groups_of(role: str) -> Sequence[Families]:
    """Return the groups that a role exports."""
    return GROUPS[_EXECUTOR if role.startswith(f"{_EXECUTOR}-") else role]


def registry_of(role: str, **known: Sequence[str]) -> CollectorRegistry:
    """Return what a process of a role exports, with what it counts at 0; of a process in Python the usual, too.

    Args:
        role: The role's name.
        known: Values of labels that only the process knows, such as its action types.
    """
    # When each series began, which nothing here asks for, would be as many samples again.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    what = "conditions" if role == "matcher" else "step"
    for group in groups_of(role):
        group.start({"role": (role,), "what": (what,), **known})
        for family in group:
            registry.register(family.collector)
    for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
        registry.register(collector)
    process.BUILD.labels(version("headrace"), role).set(1)
    return registry
