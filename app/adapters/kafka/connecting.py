"""The one place that turns how Kafka is reached into what aiokafka's clients take."""

import ssl
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from app.domain.errors import SettingsError
from app.domain.kafka_connection import KafkaConnection, OAuthLogin, PasswordLogin, Tls

if TYPE_CHECKING:
    from app.adapters.kafka.oauth import TokenProvider


def client_options(connection: KafkaConnection) -> dict[str, Any]:
    """Return the arguments of a consumer, producer or admin client that say where and how to connect.

    Raises:
        SettingsError: A certificate's file cannot be used; the text names the setting.
    """
    return {"bootstrap_servers": connection.server_list(), **login_options(connection)}


def login_options(connection: KafkaConnection) -> dict[str, Any]:
    """Return those of :func:`client_options` that one connection to one broker takes, too."""
    options: dict[str, Any] = {"security_protocol": connection.protocol}
    if connection.tls is not None:
        options["ssl_context"] = tls_context(connection.tls)
    login = connection.login
    if login is not None:
        options["sasl_mechanism"] = connection.mechanism
    if isinstance(login, PasswordLogin):
        options |= {"sasl_plain_username": login.username, "sasl_plain_password": login.password}
    elif isinstance(login, OAuthLogin):
        options["sasl_oauth_token_provider"] = _token_provider(login, connection.tls)
    return options


@lru_cache(maxsize=8)
def tls_context(tls: Tls) -> ssl.SSLContext:
    """Return the context of a process's connections: brokers' certificates and names are always checked.

    One for all clients, because a context of the system's authorities is most of a megabyte. Files that are replaced
    are read at the next start.

    Raises:
        SettingsError: A file cannot be used; the text names the setting.
    """
    try:
        context = ssl.create_default_context(cafile=tls.cafile or None)
    except OSError as error:  # ssl.SSLError is one
        raise SettingsError(f"HEADRACE_KAFKA_SSL_CAFILE: {tls.cafile}: {_reason(error)}") from None
    if tls.certfile:
        _show_certificate(context, tls)
    return context


def _show_certificate(context: ssl.SSLContext, tls: Tls) -> None:
    try:
        # A callable: without a password OpenSSL would ask for one at the terminal, and the process would hang.
        context.load_cert_chain(tls.certfile, tls.keyfile or None, password=lambda: tls.key_password)
    except OSError as error:
        files = f"HEADRACE_KAFKA_SSL_CERTFILE {tls.certfile}"
        files += f", HEADRACE_KAFKA_SSL_KEYFILE {tls.keyfile}" if tls.keyfile else ""
        hint = "; is HEADRACE_KAFKA_SSL_KEY_PASSWORD right?" if isinstance(error, ssl.SSLError) else ""
        raise SettingsError(f"{files}: {_reason(error)}{hint}") from None


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"holds nothing that can be used ({error.reason or 'no PEM'})"
    return error.strerror or type(error).__name__


def _token_provider(login: OAuthLogin, tls: Tls | None) -> "TokenProvider":
    from app.adapters.kafka.oauth import TokenProvider, install  # noqa: PLC0415 - an HTTP client, for one mechanism

    install()
    return TokenProvider(login, cafile=tls.cafile if tls else "")
