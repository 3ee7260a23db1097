"""``headrace worker``: run one role."""

import os

import click

from app.commands.preflight import need_kafka, need_postgres, settings_here
from app.commands.sources import refuse_missing_topics
from app.processes.parent_watch import end_with_parent
from app.processes.role_names import OPTIONAL_ROLES, role_names
from app.services.ingest.source_settings import load_sources


@click.command(epilog="Example: HEADRACE_INSTANCE=2 headrace worker matcher")
@click.argument("role", type=click.Choice([*role_names(), *OPTIONAL_ROLES]))
def worker(role: str) -> None:
    """Run one role until Ctrl-C or SIGTERM; start as many as you like, each with its own HEADRACE_INSTANCE."""
    settings = settings_here(role)
    configured = load_sources(settings.sources, settings.topic_prefix) if role == "sources" else ()
    need_kafka(settings)
    if configured:
        refuse_missing_topics(settings, configured)
    need_postgres(settings)
    os.umask(0o077)  # what a worker writes is for its owner alone
    settings.data_dir.mkdir(parents=True, exist_ok=True)  # Faust makes the last folder of a path only
    end_with_parent()
    from app.processes.worker import run_role  # noqa: PLC0415 - Faust takes a second; a mistake is said before

    run_role(role, settings)
