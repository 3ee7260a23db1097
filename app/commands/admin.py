"""``headrace admin``: run the admin API and its pages."""

import click

from app.commands.shape import Command
from app.commands.starting import settings_to_start
from app.processes.parent_watch import end_with_parent


@click.command(cls=Command, epilog="HEADRACE_ADMIN_PORT=8081 headrace admin")
def admin() -> None:
    """Serve the admin API until Ctrl-C or SIGTERM."""
    settings = settings_to_start("admin")
    end_with_parent()
    from app.processes.admin import run_admin  # noqa: PLC0415 - slow to import; a mistake is said before

    run_admin(settings)
