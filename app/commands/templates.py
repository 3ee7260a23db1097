"""``headrace templates``: put the built-in workflow templates into the gallery."""

from uuid import UUID

import click
import psycopg

from app.adapters.postgres.starter_templates import store_starters
from app.commands.preflight import need_postgres, settings_here
from app.services.workflows.starter_templates import OWNER, STARTERS, starter_id


@click.command(epilog="Example: headrace migrate && headrace templates")
@click.option(
    "--owner", type=click.UUID, default=OWNER, show_default=True, help="Whose they are; in Supabase, a user of yours."
)
def templates(owner: UUID) -> None:
    """Store the built-in templates that are missing or out of date; those that were changed stay."""
    settings = settings_here()
    need_postgres(settings)
    drafts = {starter_id(draft): draft for draft in STARTERS}
    try:
        stored = store_starters(settings.database_url.get_secret_value(), drafts, owner)
    except psycopg.Error as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise click.ClickException(f"Postgres refused: {reason}; has `headrace migrate` been run?") from None
    click.echo(f"Templates: {len(drafts)} built in, {stored} stored or brought up to date")
