"""``headrace worker``: run one role."""

import os
from typing import Final

import click

from app.commands.shape import Command
from app.commands.starting import settings_to_start
from app.processes.parent_watch import end_with_parent
from app.processes.role_names import OPTIONAL_ROLES, role_names

_ROLES: Final = [*role_names(), *OPTIONAL_ROLES]
_HELP: Final = f"""
Run one role until Ctrl-C or SIGTERM; start as many as you like, each with its own HEADRACE_INSTANCE.

ROLE is one of {", ".join(_ROLES)}.
"""


@click.command(cls=Command, help=_HELP, epilog="HEADRACE_INSTANCE=2 HEADRACE_METRICS_PORT=0 headrace worker matcher")
@click.argument("role", metavar="ROLE", type=click.Choice(_ROLES))
def worker(role: str) -> None:
    """Run one role."""
    settings = settings_to_start(role)
    os.umask(0o077)  # what a worker writes is for its owner alone
    settings.data_dir.mkdir(parents=True, exist_ok=True)  # Faust makes the last folder of a path only
    end_with_parent()
    from app.processes.worker import run_role  # noqa: PLC0415 - Faust takes a second; a mistake is said before

    run_role(role, settings)
