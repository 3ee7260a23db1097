"""Why Kafka does not let us in, in one line that names the setting: clients only say that they could not connect."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka.conn import create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from app.adapters.kafka.connecting import login_options
from app.domain.errors import UnreachableError
from app.domain.kafka_connection import KafkaConnection, OAuthLogin, PasswordLogin

_WITHIN_S: Final = 3.0
_FORBIDDEN: Final = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError)
_PROTOCOL: Final = "HEADRACE_KAFKA_SECURITY_PROTOCOL"


@asynccontextmanager
async def reaching(connection: KafkaConnection) -> AsyncIterator[None]:
    """Raise ``UnreachableError``, which says what to do, where Kafka fails in the block."""
    try:
        yield
    except (KafkaError, TimeoutError, OSError) as error:
        raise await unreachable(connection, error) from error


async def unreachable(connection: KafkaConnection, error: BaseException) -> UnreachableError:
    """Return what to raise for a client's error; looks at the brokers once more to say why."""
    if isinstance(error, _FORBIDDEN):
        return UnreachableError(_missing_access(connection, error))
    why = await problem(connection)
    return UnreachableError(why or f"Kafka at {connection} does not do what was asked ({type(error).__name__})")


def unanswered(connection: KafkaConnection, error: BaseException) -> UnreachableError:
    """Return what to raise for the error of a client that had connected once; looks at nothing, and takes no time."""
    if isinstance(error, _FORBIDDEN):
        return UnreachableError(_missing_access(connection, error))
    return UnreachableError(f"Kafka does not answer at {connection} ({type(error).__name__})")


def _missing_access(connection: KafkaConnection, error: BaseException) -> str:
    what = {TopicAuthorizationFailedError: "topic", GroupAuthorizationFailedError: "group"}.get(type(error), "cluster")
    names = ", ".join(map(str, error.args))
    return (
        f"Kafka at {connection} denies {user_of(connection)} access to the {what} {names}".rstrip()
        + "; `headrace topics --acls` prints what each role needs"
    )


async def problem(connection: KafkaConnection, within: float = _WITHIN_S) -> str | None:
    """Say why none of the servers lets us in; None where one does.

    Raises:
        SettingsError: A certificate's file cannot be used.
    """
    options = login_options(connection)
    servers = connection.server_list()
    said = await asyncio.gather(*(_try(connection, server, options, within) for server in servers))
    problems = [one for one in said if one is not None]
    if len(problems) < len(said):
        return None
    # A broker that answers and refuses tells more than one that is down.
    return max(problems, key=lambda one: one[0])[1]


async def _try(
    connection: KafkaConnection, server: str, options: dict[str, Any], within: float
) -> tuple[bool, str] | None:
    host, _, port = server.rpartition(":")
    try:
        async with asyncio.timeout(within):
            made = await create_conn(host.strip("[]"), int(port), request_timeout_ms=int(within * 1000), **options)
            try:
                # A listener that wants a login answers the first request without one; it closes at this one.
                answer = await made.send(MetadataRequest([]))
            finally:
                made.close()
    except (KafkaError, TimeoutError, OSError, EOFError) as error:
        return _say(connection, server, error)
    return await _astray(server, [(broker[1], broker[2]) for broker in answer.brokers], within)


async def _astray(server: str, brokers: Sequence[tuple[str, int]], within: float) -> tuple[bool, str] | None:
    """Say where none of the brokers is where the cluster says: clients talk to them, not to who was asked first."""
    said = [f"{host}:{port}" for host, port in brokers]
    if not said or server in said:
        return None
    found = await asyncio.gather(*(_listens(host, port, within) for host, port in brokers))
    if any(found):
        return None
    return True, (
        f"Kafka at {server} sends clients on to {', '.join(said)}, where nothing answers from here; "
        "check advertised.listeners of the brokers, or name the listener for this network in KAFKA_BOOTSTRAP_SERVERS"
    )


async def _listens(host: str, port: int, within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _say(connection: KafkaConnection, server: str, error: BaseException) -> tuple[bool, str]:
    refusal = _refusal(connection, server, error)
    if refusal is not None:
        return True, refusal
    return False, (
        f"Kafka does not answer at {connection} ({type(error).__name__}); start it, or set KAFKA_BOOTSTRAP_SERVERS"
    )


def _refusal(connection: KafkaConnection, server: str, error: BaseException) -> str | None:
    cause = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
    said: str | None = None
    if isinstance(cause, ssl.SSLError):
        said = _tls_problem(server, cause)
    elif isinstance(error, SaslAuthenticationFailed):
        said = f"Kafka at {server} refuses {user_of(connection)} ({_told(error)}); {_login_settings(connection)}"
    elif isinstance(error, UnsupportedSaslMechanismError):
        said = f"HEADRACE_KAFKA_SASL_MECHANISM: {server} does not offer {connection.mechanism} ({_told(error)})"
    elif isinstance(error, IllegalSaslStateError):
        said = f"{_PROTOCOL}: Kafka at {server} asks for no login, {connection.protocol} would make one"
    elif "HEADRACE_KAFKA_OAUTH" in str(error):
        said = str(error)
    elif _hung_up(error):
        said = (
            f"{server} accepts connections and closes them; check {_PROTOCOL} ({connection.protocol}): "
            "the listener may want TLS or a login"
        )
    return said


def _told(error: BaseException) -> str:
    """The broker's own words."""
    return str(error.args[0]) if error.args and error.args[0] else type(error).__name__


def _hung_up(error: BaseException) -> bool:
    return isinstance(error, ConnectionResetError | ConnectionAbortedError | EOFError | BrokenPipeError) or isinstance(
        error.__cause__, EOFError | ConnectionError
    )


def _tls_problem(server: str, error: ssl.SSLError) -> str:
    reason = (error.reason or "").replace("_", " ").lower()
    if isinstance(error, ssl.SSLCertVerificationError):
        if "match" in error.verify_message or "Hostname" in error.verify_message:
            return f"KAFKA_BOOTSTRAP_SERVERS: {error.verify_message}; name the broker as its certificate does"
        return (
            f"the certificate of Kafka at {server} is not trusted ({error.verify_message}); "
            "set HEADRACE_KAFKA_SSL_CAFILE to the authority that signed it"
        )
    if "alert" in reason:
        return (
            f"Kafka at {server} refuses our certificate, or that there is none ({reason}); "
            "check HEADRACE_KAFKA_SSL_CERTFILE and HEADRACE_KAFKA_SSL_KEYFILE"
        )
    return f"{_PROTOCOL}: {server} speaks no TLS that we know ({reason or error})"


def user_of(connection: KafkaConnection) -> str:
    """Say as whom we come, with the setting that decides it."""
    if isinstance(connection.login, PasswordLogin):
        return f"the user {connection.login.username}"
    if isinstance(connection.login, OAuthLogin):
        return f"the client {connection.login.client_id}"
    return "our certificate" if connection.tls and connection.tls.certfile else "us"


def _login_settings(connection: KafkaConnection) -> str:
    if isinstance(connection.login, OAuthLogin):
        return "check HEADRACE_KAFKA_OAUTH_CLIENT_ID and what its token grants"
    return "check HEADRACE_KAFKA_SASL_USERNAME and HEADRACE_KAFKA_SASL_PASSWORD"
