"""The settings of Kafka's locks: whole combinations make a connection, others are refused by the variable's name."""

import os
from typing import Final

import pytest

from app.domain.errors import SettingsError
from app.domain.kafka_connection import KafkaConnection, OAuthLogin, PasswordLogin, Tls
from app.settings import load_settings

K: Final = "HEADRACE_KAFKA_"
HIDDEN: Final = "hidden-word"
PASSWORD: Final = {"SASL_USERNAME": "u", "SASL_PASSWORD": HIDDEN}
OAUTH: Final = {"OAUTH_TOKEN_URL": "https://id/t", "OAUTH_CLIENT_ID": "c", "OAUTH_CLIENT_SECRET": HIDDEN}

WHOLE: Final = [
    ({}, KafkaConnection("127.0.0.1:9092")),
    ({"SECURITY_PROTOCOL": "SSL"}, KafkaConnection("127.0.0.1:9092", Tls())),
    (
        {
            "SECURITY_PROTOCOL": "SSL",
            "SSL_CAFILE": "ca",
            "SSL_CERTFILE": "cert",
            "SSL_KEYFILE": "key",
            "SSL_KEY_PASSWORD": "p",
        },
        KafkaConnection("127.0.0.1:9092", Tls("ca", "cert", "key", "p")),
    ),
    (
        {"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SASL_MECHANISM": "PLAIN", **PASSWORD},
        KafkaConnection("127.0.0.1:9092", None, PasswordLogin("PLAIN", "u", HIDDEN)),
    ),
    (
        {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "SCRAM-SHA-512", "SSL_CAFILE": "ca", **PASSWORD},
        KafkaConnection("127.0.0.1:9092", Tls("ca"), PasswordLogin("SCRAM-SHA-512", "u", HIDDEN)),
    ),
    (
        {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "OAUTHBEARER", **OAUTH, "OAUTH_SCOPE": "s"},
        KafkaConnection("127.0.0.1:9092", Tls(), OAuthLogin("https://id/t", "c", HIDDEN, "s")),
    ),
]
BROKEN: Final = [
    ({"SECURITY_PROTOCOL": "TLS"}, f"{K}SECURITY_PROTOCOL"),
    ({"SECURITY_PROTOCOL": "SASL_SSL"}, f"{K}SASL_MECHANISM: needed with SASL_SSL"),
    ({"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "GSSAPI"}, f"{K}SASL_MECHANISM"),
    (
        {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "PLAIN", "SASL_USERNAME": "u"},
        f"{K}SASL_PASSWORD: needed with PLAIN",
    ),
    (
        {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "SCRAM-SHA-256", "SASL_PASSWORD": HIDDEN},
        f"{K}SASL_USERNAME: needed with SCRAM-SHA-256",
    ),
    (
        {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "OAUTHBEARER", "OAUTH_CLIENT_ID": "c"},
        f"{K}OAUTH_TOKEN_URL and {K}OAUTH_CLIENT_SECRET: needed with OAUTHBEARER",
    ),
    ({"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "PLAIN", **PASSWORD, **OAUTH}, f"{K}OAUTH_TOKEN_URL and"),
    ({"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "OAUTHBEARER", **PASSWORD, **OAUTH}, f"{K}SASL_USERNAME and"),
    (PASSWORD, f"{K}SASL_USERNAME and {K}SASL_PASSWORD: set, but used only where {K}SECURITY_PROTOCOL is SASL_SSL"),
    ({"SECURITY_PROTOCOL": "SSL", "SASL_MECHANISM": "PLAIN"}, f"{K}SASL_MECHANISM: set, but used only where"),
    ({"SSL_CAFILE": "ca"}, f"{K}SSL_CAFILE: set, but used only where {K}SECURITY_PROTOCOL is SSL or SASL_SSL"),
    ({"SECURITY_PROTOCOL": "SSL", "SSL_KEYFILE": "key"}, f"{K}SSL_CERTFILE: needed with a key"),
]


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(K) or name == "KAFKA_BOOTSTRAP_SERVERS"]:
        monkeypatch.delenv(name)


def put(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Set variables by what follows the prefix."""
    for name, value in environment.items():
        monkeypatch.setenv(f"{K}{name}", value)


@pytest.mark.parametrize(("environment", "connection"), WHOLE)
def test_a_whole_combination_is_a_connection(
    environment: dict[str, str], connection: KafkaConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every protocol and every kind of login; its name is Kafka's."""
    put(environment, monkeypatch)
    made = load_settings().kafka_connection
    assert made == connection
    assert made.protocol == environment.get("SECURITY_PROTOCOL", "PLAINTEXT")
    assert made.mechanism == environment.get("SASL_MECHANISM")


@pytest.mark.parametrize(("environment", "said"), BROKEN)
def test_a_broken_combination_names_the_variable(
    environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing, and what is set for nothing; no text holds a secret."""
    put(environment, monkeypatch)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert said in str(raised.value)
    assert HIDDEN not in str(raised.value)


@pytest.mark.parametrize("servers", ["", "kafka", "kafka:", "kafka:9092,other", "http://kafka"])
def test_servers_that_are_no_addresses_are_refused(servers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker without its port would be looked for at another one."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", servers)
    with pytest.raises(SettingsError, match="KAFKA_BOOTSTRAP_SERVERS"):
        load_settings()


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of the settings nor of the connection; the log's blotter knows them."""
    put({"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "OAUTHBEARER", **OAUTH}, monkeypatch)
    settings = load_settings()
    printed = f"{settings!r} {settings} {settings.kafka_connection!r} {settings.kafka_connection}"
    assert HIDDEN not in printed
    assert HIDDEN in settings.credentials
