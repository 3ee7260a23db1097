"""Kafka: where it is, encryption and login of every client, in combinations that are whole."""

from collections.abc import Iterable
from typing import Final, Self

from pydantic import Field, SecretStr, model_validator

from app.domain.kafka_connection import OAUTHBEARER, KafkaConnection, Mechanism, OAuthLogin, PasswordLogin, Tls
from app.settings.base import Group

_PASSWORDS: Final[dict[str, Mechanism]] = {
    "PLAIN": "PLAIN",
    "SCRAM-SHA-256": "SCRAM-SHA-256",
    "SCRAM-SHA-512": "SCRAM-SHA-512",
}
_OF_TLS: Final = ("kafka_ssl_cafile", "kafka_ssl_certfile", "kafka_ssl_keyfile", "kafka_ssl_key_password")
_OF_PASSWORDS: Final = ("kafka_sasl_username", "kafka_sasl_password")
_OF_OAUTH: Final = ("kafka_oauth_token_url", "kafka_oauth_client_id", "kafka_oauth_client_secret")


class KafkaLogin(Group):
    """What every client of Kafka is told; :attr:`kafka_connection` is the value that they are made from.

    What is set and would not be used is an error too: who names a user thinks that there is a login.
    """

    kafka_bootstrap_servers: str = Field(
        "127.0.0.1:9092", alias="KAFKA_BOOTSTRAP_SERVERS", description="host:port, several separated by commas"
    )
    kafka_security_protocol: str = Field(
        "PLAINTEXT",
        pattern="^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$",
        description="As the broker's listener has it",
    )
    kafka_sasl_mechanism: str = Field(
        "",
        pattern="^(|PLAIN|SCRAM-SHA-256|SCRAM-SHA-512|OAUTHBEARER)$",
        description="Needed with SASL_PLAINTEXT and SASL_SSL",
    )
    kafka_sasl_username: str = Field("", description="User of PLAIN and SCRAM")
    kafka_sasl_password: SecretStr = Field(SecretStr(""), description="The user's password")
    kafka_ssl_cafile: str = Field(
        "", description="PEM file of the authorities that signed the brokers' certificates; empty: the system's"
    )
    kafka_ssl_certfile: str = Field("", description="PEM file of our certificate, for mutual TLS")
    kafka_ssl_keyfile: str = Field("", description="PEM file of its key; empty: it is in the certificate's file")
    kafka_ssl_key_password: SecretStr = Field(SecretStr(""), description="What the key is encrypted with")
    kafka_oauth_token_url: str = Field(
        "", pattern=r"^$|^https?://[^/]", description="Where OAUTHBEARER gets its tokens, by client credentials"
    )
    kafka_oauth_client_id: str = Field("", description="Client at the token URL")
    kafka_oauth_client_secret: SecretStr = Field(SecretStr(""), description="The client's secret")
    kafka_oauth_scope: str = Field("", description="Scope to ask for; empty: the server's default")

    @model_validator(mode="after")
    def _servers_are_addresses(self) -> Self:
        for server in self.kafka_connection.server_list() or [""]:
            host, _, port = server.rpartition(":")
            if not host or not port.isascii() or not port.isdigit():
                raise ValueError(f"KAFKA_BOOTSTRAP_SERVERS must be host:port, commas between; {server!r} is not")
        return self

    @model_validator(mode="after")
    def _encryption_is_whole(self) -> Self:
        if not self.kafka_security_protocol.endswith("SSL"):
            self._refuse(_OF_TLS, "HEADRACE_KAFKA_SECURITY_PROTOCOL", "SSL or SASL_SSL")
        if self.kafka_ssl_keyfile or self.kafka_ssl_key_password.get_secret_value():
            self._need(["kafka_ssl_certfile"], "a key")
        return self

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        mechanism = self.kafka_sasl_mechanism
        if self.kafka_security_protocol.startswith("SASL_"):
            self._need(["kafka_sasl_mechanism"], self.kafka_security_protocol)
        else:
            login = ("kafka_sasl_mechanism", *_OF_PASSWORDS, *_OF_OAUTH, "kafka_oauth_scope")
            self._refuse(login, "HEADRACE_KAFKA_SECURITY_PROTOCOL", "SASL_SSL or SASL_PLAINTEXT")
        if mechanism in _PASSWORDS:
            self._need(_OF_PASSWORDS, mechanism)
            self._refuse((*_OF_OAUTH, "kafka_oauth_scope"), "HEADRACE_KAFKA_SASL_MECHANISM", OAUTHBEARER)
        elif mechanism == OAUTHBEARER:
            self._need(_OF_OAUTH, mechanism)
            self._refuse(_OF_PASSWORDS, "HEADRACE_KAFKA_SASL_MECHANISM", "PLAIN or SCRAM-SHA-256 or SCRAM-SHA-512")
        return self

    @property
    def kafka_connection(self) -> KafkaConnection:
        """Where Kafka is and how it lets us in."""
        return KafkaConnection(self.kafka_bootstrap_servers, self._tls(), self._login())

    def _tls(self) -> Tls | None:
        if not self.kafka_security_protocol.endswith("SSL"):
            return None
        return Tls(
            self.kafka_ssl_cafile,
            self.kafka_ssl_certfile,
            self.kafka_ssl_keyfile,
            self.kafka_ssl_key_password.get_secret_value(),
        )

    def _login(self) -> PasswordLogin | OAuthLogin | None:
        mechanism = _PASSWORDS.get(self.kafka_sasl_mechanism)
        if mechanism:
            return PasswordLogin(mechanism, self.kafka_sasl_username, self.kafka_sasl_password.get_secret_value())
        if self.kafka_sasl_mechanism == OAUTHBEARER:
            return OAuthLogin(
                self.kafka_oauth_token_url,
                self.kafka_oauth_client_id,
                self.kafka_oauth_client_secret.get_secret_value(),
                self.kafka_oauth_scope,
            )
        return None

    def _need(self, names: Iterable[str], what: str) -> None:
        missing = [_variable(name) for name in names if not self._is_set(name)]
        if missing:
            raise ValueError(f"{' and '.join(missing)}: needed with {what}")

    def _refuse(self, names: Iterable[str], decider: str, wanted: str) -> None:
        given = [_variable(name) for name in names if self._is_set(name)]
        if given:
            raise ValueError(f"{' and '.join(given)}: set, but used only where {decider} is {wanted}")

    def _is_set(self, name: str) -> bool:
        value = getattr(self, name)
        return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def _variable(name: str) -> str:
    return f"HEADRACE_{name.upper()}"
