"""``headrace worker``: run one role."""

import os

import click

from app.commands.starting import settings_to_start
from app.processes.parent_watch import end_with_parent
from app.processes.role_names import OPTIONAL_ROLES, role_names


@click.command(epilog="Example: HEADRACE_INSTANCE=2 headrace worker matcher")
@click.argument("role", type=click.Choice([*role_names(), *OPTIONAL_ROLES]))
def worker(role: str) -> None:
    """Run one role until Ctrl-C or SIGTERM; start as many as you like, each with its own HEADRACE_INSTANCE."""
    settings = settings_to_start(role)
    os.umask(0o077)  # what a worker writes is for its owner alone
    settings.data_dir.mkdir(parents=True, exist_ok=True)  # Faust makes the last folder of a path only
    end_with_parent()
    from app.processes.worker import run_role  # noqa: PLC0415 - Faust takes a second; a mistake is said before

    run_role(role, settings)
