"""Signing in: sessions of people in a browser, and OpenID Connect."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from app.settings.base import Group


class SignInSettings(Group):
    """Where browsers reach the API, how long sessions hold, how often an attempt may be made."""

    public_url: str = Field(
        "",
        pattern=r"^$|^https?://[^/?#\s]+/?$",
        description="Where browsers reach the API, such as https://headrace.example.com: behind a proxy it cannot"
        " see that itself; empty: as the request says",
    )
    session_idle_s: int = Field(
        86_400, ge=60, le=31_536_000, description="Seconds after which a session that is not used ends"
    )
    session_lifetime_s: int = Field(
        604_800, ge=60, le=31_536_000, description="Seconds after which every session ends, however much it is used"
    )
    sign_ins_per_minute: int = Field(
        10,
        ge=0,
        le=1_000_000,
        description="Attempts to sign in to one account, at each API process, and three times as many from one address;"
        " more are answered with 429; 0: no limit",
    )

    @field_validator("public_url")
    @classmethod
    def _without_a_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @model_validator(mode="after")
    def _idle_is_within_the_lifetime(self) -> Self:
        if self.session_idle_s > self.session_lifetime_s:
            raise ValueError("HEADRACE_SESSION_IDLE_S must not be more than HEADRACE_SESSION_LIFETIME_S")
        return self

    @property
    def public_is_https(self) -> bool:
        """Whether browsers reach the API by TLS, as far as that is said."""
        return urlsplit(self.public_url).scheme == "https"
