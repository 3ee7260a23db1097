"""The admin API: where it listens, whom it lets in, and how much of each."""

import base64
from typing import Final, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from app.domain.callers import Permission, read_permissions
from app.settings.base import MIN_SECRET_BYTES, Group, Networks, networks

_FERNET_KEY_BYTES: Final = 32


class AccessSettings(Group):
    """Addresses, tokens, permissions, the key of secrets, and the limits of callers."""

    admin_host: str = Field("127.0.0.1", description="Where the API listens; 0.0.0.0: on all addresses")
    admin_port: int = Field(8080, ge=0, le=65535, description="Its port; 0: any that is free")
    admin_connections: int = Field(
        1000, ge=1, le=100_000, description="Connections to each API process; more are answered with 503"
    )
    admin_connections_per_address: int = Field(
        100, ge=1, le=100_000, description="Those of one address, unless it is a trusted proxy's"
    )
    admin_streams: int = Field(
        200,
        ge=1,
        le=10_000,
        description="Server-sent event streams and exports open at each API process; more are answered with 503",
    )
    admin_streams_per_caller: int = Field(
        10, ge=1, le=1000, description="Those of one caller; more are answered with 429"
    )
    jwt_secret: SecretStr = Field(SecretStr(""), description="HS256 secret, at least 32 bytes")
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="Bearer token for the API's /metrics, at least 32 bytes; empty: on loopback nobody needs one,"
        " elsewhere who may operate",
    )
    jwks_url: str = Field(
        "", pattern=r"^$|^https?://", description="Public keys of RS256 and ES256 tokens (RFC 7517), beside the secret"
    )
    jwt_audience: str = Field("authenticated", description="What tokens must say as `aud`")
    jwt_issuer: str = Field(
        "headrace", description="What they must say as `iss`; Supabase: https://<project>.supabase.co/auth/v1"
    )
    user_permissions: str = Field(
        "crm:read,crm:write",
        description="What every user may do beside what their token grants, commas between; all: every user is trusted;"
        " none: only what is granted",
    )
    secrets_key: SecretStr = Field(
        SecretStr(""),
        description="Keys that secrets are sealed with, commas between, the newest first; none: no secrets",
    )
    rate_limit_per_minute: int = Field(
        100,
        ge=0,
        le=1_000_000,
        alias="RATE_LIMIT_PER_MINUTE",
        description="Requests of one caller to each API process; more are answered with 429; 0: no limit",
    )
    event_requests_per_minute: int = Field(
        6_000,
        ge=0,
        le=10_000_000,
        description="Requests of one caller to POST /events, which count as no other requests; 0: no limit",
    )
    page_reads_per_minute: int = Field(
        3_000,
        ge=0,
        le=1_000_000,
        description="Reads of one person by a session, as pages do, in place of RATE_LIMIT_PER_MINUTE; 0: no limit",
    )
    failed_tokens_per_minute: int = Field(
        60,
        ge=0,
        le=1_000_000,
        description="Tokens and API keys of one address that do not hold; more are answered with 429; 0: no limit",
    )
    trusted_proxies: str = Field(
        "", description="Networks of proxies whose X-Forwarded-For is believed: 10.0.0.0/8, commas between; none: none"
    )

    @model_validator(mode="after")
    def _secret_is_long_enough(self) -> Self:
        secret = self.jwt_secret.get_secret_value()
        if secret and len(secret.encode()) < MIN_SECRET_BYTES:
            raise ValueError("HEADRACE_JWT_SECRET must have at least 32 bytes (RFC 7518, 3.2)")
        return self

    @model_validator(mode="after")
    def _metrics_token_is_long_enough(self) -> Self:
        token = self.metrics_token.get_secret_value()
        if token and (len(token) < MIN_SECRET_BYTES or not token.isascii() or len(token.split()) != 1):
            raise ValueError("HEADRACE_METRICS_TOKEN must have at least 32 characters of ASCII, and no space")
        return self

    @model_validator(mode="after")
    def _secrets_keys_are_keys(self) -> Self:
        for key in filter(None, map(str.strip, self.secrets_key.get_secret_value().split(","))):
            if not _is_fernet_key(key):
                raise ValueError("HEADRACE_SECRETS_KEY must be keys as `headrace secrets key` makes them, with commas")
        return self

    @field_validator("user_permissions")
    @classmethod
    def _known_permissions(cls, value: str) -> str:
        read_permissions(value)  # raises ValueError, which says what is wrong with it
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, value: str) -> str:
        networks(value)  # raises ValueError, which says what is wrong with it
        return value

    @property
    def proxy_networks(self) -> Networks:
        """What ``trusted_proxies`` lists."""
        return networks(self.trusted_proxies)

    @property
    def everybodys_permissions(self) -> frozenset[Permission]:
        """What ``user_permissions`` grants to every user."""
        return read_permissions(self.user_permissions)


def _is_fernet_key(key: str) -> bool:
    """Tell whether it is 32 bytes in URL-safe base64 (https://github.com/fernet/spec)."""
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == _FERNET_KEY_BYTES
    except ValueError:
        return False
