"""``headrace secrets``: keys that the secret store is sealed with."""

import click
import psycopg

from app.adapters.postgres.resealing import reseal as reseal_all
from app.adapters.secrets.cipher import FernetCipher, new_key
from app.commands.preflight import need_postgres, postgres_refused, settings_here
from app.commands.shape import Group


@click.group(cls=Group, epilog="export HEADRACE_SECRETS_KEY=$(headrace secrets key)")
def secrets() -> None:
    """Make keys for the secret store, and change from one to the next."""


@secrets.command(epilog="export HEADRACE_SECRETS_KEY=$(headrace secrets key)")
def key() -> None:
    """Print a new key for HEADRACE_SECRETS_KEY; keep it safe, nothing opens the secrets without it."""
    click.echo(new_key())


@secrets.command(epilog="HEADRACE_SECRETS_KEY=$NEW,$OLD headrace secrets reseal")
def reseal() -> None:
    """Seal all that is stored again with the first key of HEADRACE_SECRETS_KEY; after that the others may go."""
    settings = settings_here()
    cipher = FernetCipher(settings.secrets_key.get_secret_value())
    need_postgres(settings)
    try:
        count = reseal_all(settings.database_url.get_secret_value(), cipher.renew)
    except psycopg.Error as error:
        raise postgres_refused(error) from None
    click.echo(f"Sealed with the first key: {count}")
