"""The names of the roles: known without importing what they run on."""

from typing import Final

from app.actions.families import FAMILIES
from app.actions.registry import REGISTRY


def role_names() -> list[str]:
    """Return every role that has work to do: an executor family without action types has none."""
    return ["matcher", *action_types_by_role(), "sink", "scheduler"]


def action_types_by_role() -> dict[str, list[str]]:
    """Return the executors' roles, with the action types of each."""
    return {f"executor-{family}": names for family in FAMILIES if (names := REGISTRY.names(family))}


# Roles that run only where a setting asks for them: the sources' reads HEADRACE_SOURCES.
OPTIONAL_ROLES: Final = ("sources",)
_FIRST_PORT: Final = 9464  # OpenTelemetry's for Prometheus


def usual_metrics_port(role: str) -> int:
    """Return where a role's page is unless HEADRACE_METRICS_PORT says otherwise: one of each fit on a machine."""
    families = [f"executor-{family}" for family in FAMILIES]
    return _FIRST_PORT + ["matcher", *families, "sink", "scheduler", *OPTIONAL_ROLES].index(role)
