"""``headrace worker``: run one role."""

import asyncio
import os

import click

from app.commands.preflight import need_kafka, need_postgres, settings_here
from app.processes.kafka_access import refuse_denied
from app.processes.parent_watch import end_with_parent
from app.processes.role_names import OPTIONAL_ROLES, role_names
from app.settings import Settings


@click.command(epilog="Example: HEADRACE_INSTANCE=2 headrace worker matcher")
@click.argument("role", type=click.Choice([*role_names(), *OPTIONAL_ROLES]))
def worker(role: str) -> None:
    """Run one role until Ctrl-C or SIGTERM; start as many as you like, each with its own HEADRACE_INSTANCE."""
    settings = settings_here(role)
    if role == "sources":
        _check_sources(settings)
    need_kafka(settings)
    asyncio.run(refuse_denied(role, settings))
    need_postgres(settings)
    os.umask(0o077)  # what a worker writes is for its owner alone
    settings.data_dir.mkdir(parents=True, exist_ok=True)  # Faust makes the last folder of a path only
    end_with_parent()
    from app.processes.worker import run_role  # noqa: PLC0415 - Faust takes a second; a mistake is said before

    run_role(role, settings)


def _check_sources(settings: Settings) -> None:
    from app.commands.sources import check_sources  # noqa: PLC0415 - no other role holds what reads sources

    check_sources(settings)
