"""``headrace admin``: run the admin API and its pages."""

import asyncio

import click

from app.commands.preflight import need_kafka, need_postgres, settings_here
from app.processes.kafka_access import refuse_denied
from app.processes.parent_watch import end_with_parent


@click.command(epilog="Example: HEADRACE_ADMIN_PORT=8081 headrace admin")
def admin() -> None:
    """Serve the admin API until Ctrl-C or SIGTERM."""
    settings = settings_here("admin")
    need_kafka(settings)
    asyncio.run(refuse_denied("admin", settings))
    need_postgres(settings)
    end_with_parent()
    from app.processes.admin import run_admin  # noqa: PLC0415 - slow to import; a mistake is said before

    run_admin(settings)
