"""Every setting, read once from the environment: name, unit and default, a module for each concern."""

from typing import Final

from pydantic import SecretStr, ValidationError

from app.domain.errors import SettingsError
from app.settings.access import AccessSettings
from app.settings.channels import ChannelSettings
from app.settings.execution import ExecutionSettings
from app.settings.kafka import KafkaSettings
from app.settings.process import ProcessSettings
from app.settings.sign_in import SignInSettings
from app.settings.stand_ins import StandInSettings

# Variables that other systems of this kind are given, that this one has no use for, and why.
MEANINGLESS: Final = {"REDIS_URL": "Kafka queues and Postgres keeps what Redis would; unset it"}


class Settings(
    KafkaSettings, ProcessSettings, AccessSettings, SignInSettings, ExecutionSettings, ChannelSettings, StandInSettings
):
    """The process's settings, all concerns together; see :class:`app.settings.base.Group` for names and units."""

    @property
    def credentials(self) -> tuple[str, ...]:
        """What is secret of the installation itself, but for the database's login, which nothing sends elsewhere."""
        named = (value for name, value in self if name != "database_url")
        return tuple(secret for one in named if isinstance(one, SecretStr) and (secret := one.get_secret_value()))


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: A value is wrong; the text names the variable and never holds its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_say(detail["loc"], detail["msg"]) for detail in error.errors())) from None


def _say(loc: tuple[int | str, ...], message: str) -> str:
    name = str(loc[0]) if loc else ""
    if name and not name.isupper():
        name = f"HEADRACE_{name.upper()}"
    return f"{name}: {message}" if name else message
