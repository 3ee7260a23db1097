"""Signing in: sessions of people in a browser, and OpenID Connect."""

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

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
    oidc_issuer: str = Field(
        "",
        pattern=r"^$|^https?://[^?#\s]+$",
        description="The OpenID Connect issuer that people may sign in at, as its ID tokens say `iss`; our redirect URI"
        " there is HEADRACE_PUBLIC_URL/api/v1/session/oidc/callback; empty: none",
    )
    oidc_client_id: str = Field("", description="What this installation is to it")
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="And its secret; none: a public client, by PKCE alone"
    )
    oidc_scopes: str = Field("openid email profile", description="What it is asked for")
    oidc_role_claim: str = Field(
        "", description="The claim that says the role at each sign-in, such as groups; empty: administrators give roles"
    )
    oidc_admins: str = Field("", description="Values of that claim that make an administrator, commas between")
    oidc_create_users: bool = Field(
        default=False,
        description="Make a user of whoever signs in there with a verified e-mail; else there must be one",
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

    @model_validator(mode="after")
    def _issuer_is_whole(self) -> Self:
        if self.oidc_issuer and not (self.oidc_client_id and self.public_url):
            raise ValueError("HEADRACE_OIDC_ISSUER needs HEADRACE_OIDC_CLIENT_ID and HEADRACE_PUBLIC_URL too")
        if "openid" not in self.oidc_scopes.split():
            raise ValueError("HEADRACE_OIDC_SCOPES must have openid")
        return self

    @property
    def oidc_admin_values(self) -> frozenset[str]:
        """What ``oidc_admins`` lists."""
        return frozenset(filter(None, map(str.strip, self.oidc_admins.split(","))))
