"""What every group of settings shares: where a value comes from, and its units."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MIN_SECRET_BYTES: Final = 32

Milliseconds = Annotated[int, Field(ge=0, le=86_400_000)]
Networks = tuple[IPv4Network | IPv6Network, ...]


class Group(BaseSettings):
    """Settings of one concern; :class:`app.settings.Settings` is all of them, so attribute names are unique over all.

    Names without a prefix are customary for what they set or for the system they point at; the rest start with
    ``HEADRACE_``. Times named ``*_ms`` are milliseconds, ``*_s`` seconds.
    """

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", extra="ignore", frozen=True, populate_by_name=True)


def networks(value: str) -> Networks:
    """Read networks, commas between.

    Raises:
        ValueError: One is none.
    """
    return tuple(map(ip_network, filter(None, map(str.strip, value.split(",")))))
