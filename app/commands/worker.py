"""``headrace worker``: run one role."""

import click

from app.commands.reach import need_kafka, need_postgres, settings_here
from app.orphan import end_with_parent
from app.role_names import role_names


@click.command(epilog="Example: HEADRACE_INSTANCE=2 headrace worker matcher")
@click.argument("role", type=click.Choice(role_names()))
def worker(role: str) -> None:
    """Run one role until Ctrl-C or SIGTERM; start as many as you like, each with its own HEADRACE_INSTANCE."""
    settings = settings_here()
    need_kafka(settings)
    need_postgres(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)  # Faust makes the last folder of a path only
    end_with_parent()
    from app.worker import run_role  # noqa: PLC0415 - Faust takes a second; a mistake is said before

    run_role(role, settings)
