"""How Kafka is reached: servers, encryption and login, as one value that every client of ours is made from."""

from dataclasses import dataclass, field
from typing import Final, Literal

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

OAUTHBEARER: Final = "OAUTHBEARER"


@dataclass(frozen=True, slots=True)
class Tls:
    """Encryption.

    Attributes:
        cafile: PEM file of the authorities to trust; the system's where it is empty.
        certfile: PEM file of our own certificate and what leads up to its authority, for mutual TLS.
        keyfile: PEM file of its key, unless that is in ``certfile``.
        key_password: What the key is encrypted with.
    """

    cafile: str = ""
    certfile: str = ""
    keyfile: str = ""
    key_password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """SASL with a name and a password."""

    mechanism: Mechanism
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuthLogin:
    """SASL OAUTHBEARER with tokens that an authorization server gives for client credentials (RFC 6749, 4.4)."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """Where Kafka is and how it lets us in.

    Attributes:
        servers: ``host:port``, several separated by commas.
        tls: Encryption; None: in the clear.
        login: SASL; None: the broker asks for none, or a certificate is enough.
    """

    servers: str
    tls: Tls | None = None
    login: PasswordLogin | OAuthLogin | None = None

    @property
    def protocol(self) -> str:
        """Kafka's name of the security protocol."""
        return f"{'SASL_' if self.login else ''}{'SSL' if self.tls else 'PLAINTEXT'}"

    @property
    def mechanism(self) -> str | None:
        """Kafka's name of the SASL mechanism."""
        if self.login is None:
            return None
        return self.login.mechanism if isinstance(self.login, PasswordLogin) else OAUTHBEARER

    def server_list(self) -> list[str]:
        """Return the servers one by one."""
        return [server for part in self.servers.split(",") if (server := part.strip())]

    def __str__(self) -> str:
        """Return the servers, as messages name them."""
        return self.servers
