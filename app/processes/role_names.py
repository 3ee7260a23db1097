"""The names of the roles: known without importing what they run on."""

from typing import Final

from app.actions.base import FAMILIES
from app.actions.registry import REGISTRY


def role_names() -> list[str]:
    """Return every role that has work to do: an executor family without action types has none."""
    families = [f"executor-{family}" for family in FAMILIES if REGISTRY.of_family(family)]
    return ["matcher", *families, "sink", "scheduler"]


# Roles that run only where a setting asks for them: the sources' reads HEADRACE_SOURCES.
OPTIONAL_ROLES: Final = ("sources",)
