"""Every setting, read once from the environment: name, unit and default in one place."""

import base64
import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.callers import Permission, read_permissions
from app.domain.dsn import dsn_problem
from app.domain.errors import SettingsError

_PREFIX = re.compile(r"^[a-z0-9][a-z0-9._-]{0,40}$")
_MIN_SECRET_BYTES = 32
_FERNET_KEY_BYTES = 32

# Variables that other systems of this kind are given, that this one has no use for, and why.
MEANINGLESS: Final = {"REDIS_URL": "Kafka queues and Postgres keeps what Redis would; unset it"}

Milliseconds = Annotated[int, Field(ge=0, le=86_400_000)]


class Settings(BaseSettings):
    """The process's settings.

    Names without a prefix are customary for what they set or for the system they point at; the rest start with
    ``HEADRACE_``. Times named ``*_ms`` are milliseconds, ``*_s`` seconds.
    """

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", extra="ignore", frozen=True, populate_by_name=True)

    kafka_bootstrap_servers: str = Field("127.0.0.1:9092", alias="KAFKA_BOOTSTRAP_SERVERS")
    database_url: SecretStr = Field(SecretStr("postgresql://localhost/headrace"), alias="DATABASE_URL")
    instance: str = Field("1", pattern=r"^[A-Za-z0-9._-]{1,60}$", description="Stable id of this worker in its role")
    topic_prefix: str = "headrace."
    events_partitions: int = Field(4, ge=1, le=1000)
    actions_partitions: int = Field(8, ge=1, le=1000)
    replication_factor: int = Field(1, ge=1, le=9)
    data_dir: Path = Path(".headrace/workers")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    admin_host: str = "127.0.0.1"
    admin_port: int = Field(8080, ge=0, le=65535)
    admin_connections: int = Field(1000, ge=1, le=100_000, description="Connections to the admin API, in all")
    admin_connections_per_address: int = Field(
        100, ge=1, le=100_000, description="Those of one address, unless it is a trusted proxy's"
    )
    metrics_port: int = Field(0, ge=0, le=65535, description="0: the worker serves no metrics page")
    jwt_secret: SecretStr = Field(SecretStr(""), description="HS256 secret, at least 32 bytes")
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="Bearer token for the API's /metrics, at least 32 bytes; empty: on loopback nobody needs one",
    )
    jwks_url: str = Field(
        "", pattern=r"^$|^https?://", description="Public keys of RS256 and ES256 tokens (RFC 7517), beside the secret"
    )
    jwt_audience: str = "authenticated"
    jwt_issuer: str = Field("headrace", description="Supabase: https://<project>.supabase.co/auth/v1")

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
        100, ge=0, le=1_000_000, alias="RATE_LIMIT_PER_MINUTE", description="Requests a caller; 0: no limit"
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
    workflows_per_user: int = Field(200, ge=0, le=1_000_000, description="Workflows of one user; 0: no limit")
    active_per_trigger: int = Field(
        20, ge=0, le=1_000_000, description="Active workflows of one user and one trigger type; 0: no limit"
    )
    executions_per_minute: int = Field(
        3_000, ge=0, le=10_000_000, description="Executions of one user's workflows; more wait their turn; 0: no limit"
    )
    events_per_minute: int = Field(
        60_000, ge=0, le=10_000_000, description="Events of one sender at POST /events; 0: no limit"
    )
    queue_concurrency: int = Field(
        10, ge=1, le=512, alias="QUEUE_CONCURRENCY", description="Actions at once per partition"
    )
    action_retry_max_attempts: int = Field(3, ge=0, le=10, alias="ACTION_RETRY_MAX_ATTEMPTS", description="Retries")
    action_retry_initial_delay_ms: Milliseconds = Field(1000, alias="ACTION_RETRY_INITIAL_DELAY")
    retry_jitter: float = Field(0.1, ge=0, le=0.5, description="Share of a backoff that chance may take off; 0: none")
    longest_hold_ms: Milliseconds = Field(5000, description="Backoffs up to this are sat out; longer ones are parked")
    circuit_breaker_threshold: int = Field(
        5, ge=1, le=100_000, alias="CIRCUIT_BREAKER_THRESHOLD", description="Failed attempts in a row that open it"
    )
    circuit_breaker_timeout_ms: Milliseconds = Field(
        30_000, ge=100, alias="CIRCUIT_BREAKER_TIMEOUT", description="Open for so long, then probed"
    )
    circuit_breaker_max_wait_ms: Milliseconds = Field(
        300_000, alias="CIRCUIT_BREAKER_MAX_WAIT", description="What has waited for it so long fails"
    )
    circuit_release_rate: int = Field(
        50, ge=1, le=10_000, description="Commands a second to a destination that serves again, of those that waited"
    )
    action_timeout_ms: Milliseconds = Field(5000, description="One attempt")
    workflow_execution_timeout_ms: Milliseconds = Field(30_000, alias="WORKFLOW_EXECUTION_TIMEOUT")
    event_max_age_s: int = Field(7 * 86_400, ge=60, description="Older Kafka records are counted and skipped")
    run_budget: int = Field(
        1000,
        ge=0,
        le=100_000,
        description="Runs of one workflow for one entity in a window; more are blocked as a loop; 0: any",
    )
    run_budget_window_s: int = Field(3600, ge=1)
    audience_rate: int = Field(50, ge=1, le=500, description="Customers of one audience that get their run, a second")
    workflow_check_s: int = Field(300, ge=1, description="Workflow table against Postgres")
    lease_margin_ms: Milliseconds = 2000
    worker_buffer_mb: int = Field(
        64, ge=1, le=16_384, description="MiB of records that may wait unfinished in a worker, over all its partitions"
    )
    pool_size: int = Field(4, ge=1, le=50)
    sources: str = Field("", description="Topics of other systems: a JSON list, or the path of a file that holds one")
    log_retention_days: int = Field(90, ge=1, description="Days after which the log's partitions go to the archive")
    dead_letter_retention_days: int = Field(
        90, ge=1, description="Days after which a dead letter is removed, whatever became of it"
    )

    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(25, ge=1, le=65535)
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: str = Field("none", pattern="^(none|starttls|tls)$")
    mail_from: str = "Headrace <headrace@localhost.localdomain>"
    twilio_base_url: str = Field("https://api.twilio.com", pattern=r"^https?://[^/]")
    twilio_account_sid: str = Field("", pattern=r"^$|^AC[0-9a-f]{32}$", description="Empty: no text messages")
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_from: str = Field("", description="Sender: a number in E.164, a short code or an alphanumeric sender id")
    twilio_messaging_service_sid: str = Field("", pattern=r"^$|^MG[0-9a-f]{32}$", description="Sender, instead")
    whatsapp_base_url: str = Field("https://graph.facebook.com", pattern=r"^https?://[^/]")
    whatsapp_api_version: str = Field("v23.0", pattern=r"^v[0-9]+\.[0-9]+$")
    whatsapp_phone_number_id: str = Field("", pattern=r"^[0-9]*$", description="Empty: no WhatsApp messages")
    whatsapp_access_token: SecretStr = SecretStr("")
    crm_url: str = Field(
        "",
        pattern=r"^$|^https?://[^/@?#]+(/[^@?#]*)?$",
        description="The user's own CRM (docs/crm-http.md); empty: built in",
    )
    crm_token: SecretStr = Field(SecretStr(""), description="Bearer token for it")
    webhook_allow_private: bool = Field(default=False, description="Let webhooks reach private and loopback addresses")
    webhook_allow_networks: str = Field(
        "", description="Networks that webhooks may reach although they are private: 10.1.0.0/16, commas between"
    )

    @field_validator("topic_prefix")
    @classmethod
    def _legal_topic_prefix(cls, value: str) -> str:
        if not _PREFIX.match(value):
            raise ValueError("must be 1 to 41 of a-z 0-9 . _ - and start with a letter or digit")
        return value

    @field_validator("database_url")
    @classmethod
    def _readable_dsn(cls, value: SecretStr) -> SecretStr:
        problem = dsn_problem(value.get_secret_value())
        if problem:
            raise ValueError(problem)
        return value

    @model_validator(mode="after")
    def _secret_is_long_enough(self) -> Self:
        secret = self.jwt_secret.get_secret_value()
        if secret and len(secret.encode()) < _MIN_SECRET_BYTES:
            raise ValueError("HEADRACE_JWT_SECRET must have at least 32 bytes (RFC 7518, 3.2)")
        return self

    @model_validator(mode="after")
    def _metrics_token_is_long_enough(self) -> Self:
        token = self.metrics_token.get_secret_value()
        if token and (len(token) < _MIN_SECRET_BYTES or not token.isascii() or len(token.split()) != 1):
            raise ValueError("HEADRACE_METRICS_TOKEN must have at least 32 characters of ASCII, and no space")
        return self

    @model_validator(mode="after")
    def _secrets_keys_are_keys(self) -> Self:
        for key in filter(None, map(str.strip, self.secrets_key.get_secret_value().split(","))):
            if not _is_fernet_key(key):
                raise ValueError("HEADRACE_SECRETS_KEY must be keys as `headrace secrets key` makes them, with commas")
        return self

    @model_validator(mode="after")
    def _message_providers_are_whole(self) -> Self:
        if self.twilio_account_sid and not self.twilio_auth_token.get_secret_value():
            raise ValueError("HEADRACE_TWILIO_AUTH_TOKEN is needed with HEADRACE_TWILIO_ACCOUNT_SID")
        if self.twilio_account_sid and bool(self.twilio_from) == bool(self.twilio_messaging_service_sid):
            raise ValueError("one of HEADRACE_TWILIO_FROM and HEADRACE_TWILIO_MESSAGING_SERVICE_SID is needed")
        if self.whatsapp_phone_number_id and not self.whatsapp_access_token.get_secret_value():
            raise ValueError("HEADRACE_WHATSAPP_ACCESS_TOKEN is needed with HEADRACE_WHATSAPP_PHONE_NUMBER_ID")
        return self

    @field_validator("user_permissions")
    @classmethod
    def _known_permissions(cls, value: str) -> str:
        read_permissions(value)  # raises ValueError, which says what is wrong with it
        return value

    @field_validator("webhook_allow_networks", "trusted_proxies")
    @classmethod
    def _checked_networks(cls, value: str) -> str:
        _networks(value)  # raises ValueError, which says what is wrong with it
        return value

    @property
    def allowed_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """What ``webhook_allow_networks`` lists."""
        return _networks(self.webhook_allow_networks)

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """What ``trusted_proxies`` lists."""
        return _networks(self.trusted_proxies)

    @property
    def everybodys_permissions(self) -> frozenset[Permission]:
        """What ``user_permissions`` grants to every user."""
        return read_permissions(self.user_permissions)

    @property
    def credentials(self) -> tuple[str, ...]:
        """What is secret of the installation itself, but for the database's login, which nothing sends elsewhere."""
        named = (value for name, value in self if name != "database_url")
        return tuple(secret for one in named if isinstance(one, SecretStr) and (secret := one.get_secret_value()))

    @property
    def action_timeout(self) -> float:
        """Seconds that one attempt may take."""
        return self.action_timeout_ms / 1000

    @property
    def lease(self) -> timedelta:
        """How long a claim on an outside effect holds: every attempt and backoff of one command, and a margin."""
        return timedelta(
            milliseconds=self.workflow_execution_timeout_ms + self.action_timeout_ms + self.lease_margin_ms
        )


def _networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, filter(None, map(str.strip, value.split(",")))))


def _is_fernet_key(key: str) -> bool:
    """Tell whether it is 32 bytes in URL-safe base64 (https://github.com/fernet/spec)."""
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == _FERNET_KEY_BYTES
    except ValueError:
        return False


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
