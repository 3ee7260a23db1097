"""``headrace migrate``: bring the database to the current schema."""

import click
from sqlalchemy.exc import DBAPIError

from app.adapters.postgres.migrate import upgrade
from app.commands.preflight import need_postgres, settings_here
from app.commands.shape import Command


@click.command(cls=Command, epilog="DATABASE_URL=postgresql://user:password@db/headrace headrace migrate")
def migrate() -> None:
    """Apply every migration that DATABASE_URL's database lacks; run it again as often as you like."""
    settings = settings_here()
    need_postgres(settings)
    try:
        upgrade(settings.database_url.get_secret_value())
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[:1] or ["no reason given"]
        hint = getattr(getattr(error.orig, "diag", None), "message_hint", None)
        raise click.ClickException(
            f"Postgres refused a migration: {reason[0]}; nothing was changed. "
            + (hint or "The user of DATABASE_URL must be allowed to create tables and roles")
        ) from None
    click.echo("Database: migrated")
