"""What commands check first, so that a wrong setting or a server that is down costs one line and a few seconds."""

import os
from typing import TYPE_CHECKING

import click

from app.commands.api_address import given
from app.domain.errors import SetupError, UnreachableError
from app.processes.environment_check import of_environment
from app.processes.home import default_home
from app.processes.running import adopt_environment
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    from app.adapters.kafka.external import ExternalKafka
    from app.adapters.postgres.external import ExternalPostgres


def settings_here() -> Settings:
    """Return the settings: the environment's, and for what it leaves open those of the installation running here.

    Says on standard error which variables are set and have no meaning here, or nothing reads.

    Raises:
        EmptyVariableError: DATABASE_URL is set, but empty.
        SettingsError: A value is wrong.
    """
    given("DATABASE_URL")  # empty it would mean whom the system's user is at the local Postgres
    adopt_environment(default_home())
    for finding in of_environment(os.environ):
        if finding.state != "ok":
            click.echo(f"Warning: {finding.says}", err=True)
    return load_settings()


def need_kafka(settings: Settings) -> None:
    """Check that a broker answers.

    Raises:
        UnreachableError: None does within 3 seconds each.
    """
    from app.adapters.kafka.external import ExternalKafka  # noqa: PLC0415 - who needs the one does not load the other

    _need(ExternalKafka(settings.kafka_connection))


def need_postgres(settings: Settings) -> None:
    """Check that Postgres lets us in.

    Raises:
        UnreachableError: It does not within 3 seconds; the text holds no password.
    """
    from app.adapters.postgres.external import ExternalPostgres  # noqa: PLC0415 - as above

    _need(ExternalPostgres(settings.database_url.get_secret_value()))


def _need(service: "ExternalKafka | ExternalPostgres") -> None:
    try:
        service.wait_ready()
    except SetupError as error:
        raise UnreachableError(f"{error}; or start one here with `headrace up`") from None


def postgres_refused(error: BaseException | None) -> click.ClickException:
    """Return what a command says where Postgres refuses a statement: the first line of why, which holds no values."""
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return click.ClickException(f"Postgres refused: {reason}; has `headrace migrate` been run?")
