"""Runs one role: builds its parts and its Faust app, and runs it until a signal comes.

What a role runs on is loaded with it, and nothing of the others: that would be a good part of a worker's memory.
"""

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from prometheus_client import CollectorRegistry

from app.actions.families import FAMILIES
from app.actions.registry import REGISTRY
from app.adapters.postgres.database_roles import check_login, of_process
from app.domain.errors import SettingsError
from app.metrics.roles import registry_of
from app.processes.logs import log_as
from app.processes.open_files import allow_open_files
from app.processes.role_names import OPTIONAL_ROLES, role_names
from app.processes.vitals import Vitals, show_page, vitals_of
from app.settings import Settings

if TYPE_CHECKING:
    from agents.reading import Around
    from app.adapters.kafka.transport import App

_OWN_MODULES: Final = ("matcher", "sink", "sources")


def run_role(role: str, settings: Settings) -> None:
    """Run a role in this process until SIGTERM or SIGINT.

    Raises:
        SettingsError: There is no such role, or DATABASE_URL is another role's.
        SystemExit: At the end; 0 after a signal.
    """
    known = (*role_names(), *OPTIONAL_ROLES)
    if role not in known:
        raise SettingsError(f"there is no role {role}; there are {', '.join(known)}")
    log_as(role, settings)
    allow_open_files()
    asyncio.run(check_login(settings.database_url.get_secret_value(), of_process(role)))
    vitals = vitals_of(role, settings, metrics_of(role, settings))
    show_page(role, settings, vitals)
    if role == "scheduler":
        from app.processes.scheduler import run_scheduler  # noqa: PLC0415 - see the module

        run_scheduler(settings, vitals)
        return
    from app.processes.faust_app import run_worker  # noqa: PLC0415 - see the module

    run_worker(build_role(role, settings, vitals))


def metrics_of(role: str, settings: Settings) -> CollectorRegistry:
    """Return what a role exports, with all that it may count at 0."""
    families = [family for family in FAMILIES if role == f"executor-{family}"]
    types = [name for family in families for name in REGISTRY.names(family)]
    sources = _source_names(settings) if role == "sources" else []
    return registry_of(role, action_type=types, source=["", *sources], chore=["maintenance"])


def _source_names(settings: Settings) -> list[str]:
    from app.services.ingest.source_settings import load_sources  # noqa: PLC0415 - see the module

    return [source.name for source in load_sources(settings.sources, settings.topic_prefix)]


def build_role(role: str, settings: Settings, vitals: Vitals, around: "Around | None" = None) -> "App":
    """Build a role's Faust app with its agents.

    Args:
        role: The role's name.
        settings: The process's settings.
        vitals: What it says of its own condition; what the role stands on is added.
        around: Told of records before an agent handles them, such as by a test that plants faults.
    """
    module = import_module(f"app.processes.roles.{role if role in _OWN_MODULES else 'executor'}")
    return cast("App", module.build(role, settings, vitals, around))
