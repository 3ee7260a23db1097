"""Every client of ours gets in by every way that Kafka offers, and where it does not, one line says which setting."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from app.adapters.kafka.admin import ensure_topics
from app.adapters.kafka.connecting import client_options, tls_context
from app.adapters.kafka.depths import KafkaDepths
from app.adapters.kafka.oauth import TokenError, TokenProvider
from app.adapters.kafka.producer import KafkaSender
from app.adapters.kafka.reachability import problem
from app.adapters.kafka.subscriber import KafkaSubscriber
from app.adapters.kafka.tail import last_records
from app.domain.errors import SettingsError, UnreachableError
from app.domain.kafka_connection import KafkaConnection, PasswordLogin, Tls
from app.ports import Record
from app.ports.queue_status import Lane
from app.ports.record_source import RecordSource
from app.processes.faust_app import AgentSpec, build_app
from app.topics import TopicSpec
from tests.integration.transport.apps import running
from tests.support.deadlines import scaled
from tests.support.secured.certificates import Authority
from tests.support.secured.cluster import ADMIN, NOWHERE, PASSWORD, Secured
from tests.support.secured.tokens import TokenEndpoint
from tests.support.waiting import eventually

SETTLED_WITHIN_S: Final = 10.0

Way = Callable[[Secured, TokenEndpoint], KafkaConnection]


def oauth(cluster: Secured, tokens: TokenEndpoint, **more: Any) -> KafkaConnection:
    """Log in with a token."""
    return KafkaConnection(cluster.doors["sasl"], Tls(str(cluster.authority.cafile)), tokens.login(ADMIN, **more))


WAYS: Final[dict[str, Way]] = {
    "PLAIN": lambda cluster, _: cluster.login(ADMIN, "PLAIN"),
    "SCRAM-SHA-256": lambda cluster, _: cluster.login(ADMIN, "SCRAM-SHA-256"),
    "SCRAM-SHA-512": lambda cluster, _: cluster.login(ADMIN, "SCRAM-SHA-512"),
    "OAUTHBEARER": oauth,
    "mutual TLS": lambda cluster, _: cluster.certificate(cluster.authority.sign(ADMIN)),
    "mutual TLS, key with a password": lambda cluster, _: cluster.certificate(
        cluster.authority.sign(ADMIN, password="k3y"), "k3y"
    ),
    "SASL_PLAINTEXT": lambda cluster, _: KafkaConnection(
        cluster.doors["clear"], None, PasswordLogin("SCRAM-SHA-256", ADMIN, PASSWORD)
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_every_client_gets_in(way: Way, secured: Secured, tokens: TokenEndpoint, tmp_path: Path) -> None:
    """Administration, producing, a consumer group, depths, previews and a role's Faust app."""
    connection = way(secured, tokens)
    topic, group = f"t{uuid4().hex[:8]}.work", uuid4().hex
    await ensure_topics(connection, [TopicSpec(topic, 1)], replication_factor=1)
    async with KafkaSender(connection) as sender, KafkaSubscriber(connection, group=group) as subscriber:
        assert await sender.deliver([Record(topic, b"k", b"v")]) == [None]
        await sender.ping()
        await subscriber.follow([topic])
        got = [record async for record in _fetched(subscriber)]
        await subscriber.done(got)
    assert [record.value for record in got] == [b"v"]
    assert [record.value for record in await last_records(connection, topic, 5)] == [b"v"]
    depths = KafkaDepths(connection)
    try:
        assert await depths.depths([Lane("r", group, topic)]) == {topic: 0}
    finally:
        await depths.stop()
    assert await _read_by_faust(connection, topic, tmp_path) == [b"v"]


async def _fetched(subscriber: KafkaSubscriber) -> Any:
    found: list[Any] = []

    async def some() -> bool:
        found.extend(await subscriber.fetch())
        return bool(found)

    await eventually(some)
    for record in found:
        yield record


async def _read_by_faust(connection: KafkaConnection, topic: str, folder: Path) -> list[bytes]:
    seen: list[bytes] = []

    async def agent(source: RecordSource[Any]) -> None:
        async for batch in source.batches(max_records=10):
            for message in batch:
                source.begin(message)
                seen.append(message.value)
                source.ack(message)

    spec = AgentSpec("agent", topic, agent)
    app = build_app(app_id=f"{topic}.app", connection=connection, instance="1", data_dir=folder, agents=[spec])
    async with running(app):
        await eventually(lambda: len(seen) == 1)
    return seen


def stranger_ca(cluster: Secured) -> KafkaConnection:
    """Trust an authority that signed nothing here."""
    other = Authority(cluster.authority.cafile.parent, "other")
    return replace(cluster.login(ADMIN), tls=Tls(str(other.cafile)))


REFUSED: Final[dict[str, tuple[Way, str]]] = {
    "wrong password": (
        lambda cluster, _: cluster.login(ADMIN, "SCRAM-SHA-512", "wrong"),
        "refuses the user operator .*HEADRACE_KAFKA_SASL_USERNAME and HEADRACE_KAFKA_SASL_PASSWORD",
    ),
    "wrong password, PLAIN": (
        lambda cluster, _: cluster.login(ADMIN, "PLAIN", "wrong"),
        "HEADRACE_KAFKA_SASL_PASSWORD",
    ),
    "unknown user": (lambda cluster, _: cluster.login("nobody"), "refuses the user nobody"),
    "wrong client secret": (
        lambda cluster, tokens: oauth(cluster, tokens, secret="no"),
        "HEADRACE_KAFKA_OAUTH_CLIENT_SECRET",
    ),
    "token that Kafka refuses": (
        lambda cluster, tokens: oauth(cluster, tokens, scope="expired"),
        "refuses the client operator .*; check HEADRACE_KAFKA_OAUTH_CLIENT_ID",
    ),
    "no token endpoint": (
        lambda cluster, tokens: replace(
            oauth(cluster, tokens), login=replace(tokens.login(ADMIN), token_url="http://127.0.0.1:1/t")
        ),
        "HEADRACE_KAFKA_OAUTH_TOKEN_URL gives no token",
    ),
    "untrusted authority": (lambda cluster, _: stranger_ca(cluster), "not trusted .*HEADRACE_KAFKA_SSL_CAFILE"),
    "the system's authorities": (
        lambda cluster, _: replace(cluster.login(ADMIN), tls=Tls()),
        "not trusted .*HEADRACE_KAFKA_SSL_CAFILE",
    ),
    "another name than the certificate's": (
        lambda cluster, _: replace(
            cluster.login(ADMIN), servers=cluster.doors["sasl"].replace("127.0.0.1", "127.0.0.2")
        ),
        "KAFKA_BOOTSTRAP_SERVERS",
    ),
    "no certificate": (
        lambda cluster, _: KafkaConnection(cluster.doors["tls"], Tls(str(cluster.authority.cafile))),
        "HEADRACE_KAFKA_SSL_CERTFILE and HEADRACE_KAFKA_SSL_KEYFILE",
    ),
    "certificate of another authority": (
        lambda cluster, _: cluster.certificate(Authority(cluster.authority.cafile.parent, "third").sign(ADMIN)),
        "HEADRACE_KAFKA_SSL_CERTFILE and HEADRACE_KAFKA_SSL_KEYFILE",
    ),
    "in the clear to TLS": (
        lambda cluster, _: KafkaConnection(cluster.doors["sasl"]),
        r"HEADRACE_KAFKA_SECURITY_PROTOCOL \(PLAINTEXT\)",
    ),
    "TLS to a listener in the clear": (
        lambda cluster, _: replace(cluster.login(ADMIN), servers=cluster.doors["clear"]),
        "HEADRACE_KAFKA_SECURITY_PROTOCOL",
    ),
    "no login where one is wanted": (
        lambda cluster, _: replace(cluster.login(ADMIN), login=None),
        r"HEADRACE_KAFKA_SECURITY_PROTOCOL \(SSL\)",
    ),
    "login where none is taken": (
        lambda cluster, _: replace(cluster.login(ADMIN), tls=None, servers=cluster.inner),
        "HEADRACE_KAFKA_SECURITY_PROTOCOL.* asks for no login",
    ),
    "nobody there": (
        lambda _, __: KafkaConnection("127.0.0.1:1"),
        "does not answer at 127.0.0.1:1 .*KAFKA_BOOTSTRAP_SERVERS",
    ),
}


@pytest.mark.parametrize(("way", "said"), REFUSED.values(), ids=REFUSED)
async def test_who_is_refused_is_told_which_setting(
    way: Way, said: str, secured: Secured, tokens: TokenEndpoint
) -> None:
    """In one line, within 10 seconds, without the password; a sender that starts says the same."""
    began = time.monotonic()
    connection = way(secured, tokens)
    with pytest.raises(UnreachableError, match=said) as raised:
        await KafkaSender(connection).start()
    assert time.monotonic() - began < scaled(SETTLED_WITHIN_S)
    text = str(raised.value)
    assert "\n" not in text
    assert not [secret for secret in (PASSWORD, "wrong", tokens.secret) if secret in text]
    assert await problem(connection) == text


def test_commands_and_roles_say_it_and_end(secured: Secured) -> None:
    """One line among what else is wrong, an exit that is an error, within 10 seconds; nothing of a client's retries."""
    for words, wrong, said in (
        (("topics",), {"HEADRACE_KAFKA_SASL_PASSWORD": "wrong"}, "HEADRACE_KAFKA_SASL_PASSWORD"),
        (("worker", "sink"), {"HEADRACE_KAFKA_SSL_CAFILE": ""}, "HEADRACE_KAFKA_SSL_CAFILE"),
    ):
        environment = {**os.environ, **secured.environment(ADMIN), **wrong}
        began = time.monotonic()
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "app.cli", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=scaled(60),
            check=False,
        )
        assert time.monotonic() - began < scaled(SETTLED_WITHIN_S)
        assert done.returncode != 0
        assert len([line for line in done.stderr.splitlines() if said in line]) == 1
        assert "aiokafka" not in done.stderr


async def test_brokers_that_are_elsewhere_are_named(secured: Secured) -> None:
    """The first answer is not enough: clients are sent on to what the brokers say of themselves."""
    login = PasswordLogin("SCRAM-SHA-256", ADMIN, PASSWORD)
    said = await problem(KafkaConnection(secured.doors["astray"], None, login))
    assert said is not None
    assert f"sends clients on to {NOWHERE}, where nothing answers from here; check advertised.listeners" in said


async def test_one_server_that_lets_us_in_is_enough(secured: Secured) -> None:
    """The others may be down."""
    whole = secured.login(ADMIN)
    assert await problem(replace(whole, servers=f"127.0.0.1:1,{whole.servers}")) is None


def test_certificates_that_cannot_be_used_are_said(tmp_path: Path) -> None:
    """Each file by its setting: not there, not PEM, a key that does not fit or open."""
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("no certificate")
    authority = Authority(tmp_path, "a")
    locked, other = authority.sign("locked", password="k3y"), authority.sign("other")
    ca = str(authority.cafile)
    for tls, said in (
        (Tls(str(tmp_path / "gone.pem")), "HEADRACE_KAFKA_SSL_CAFILE: .*gone.pem: No such file"),
        (Tls(str(rubbish)), "HEADRACE_KAFKA_SSL_CAFILE"),
        (Tls(ca, str(tmp_path / "gone.pem")), "HEADRACE_KAFKA_SSL_CERTFILE .*No such file"),
        (Tls(ca, str(locked.certfile), str(other.keyfile)), "HEADRACE_KAFKA_SSL_KEYFILE"),
        (Tls(ca, str(locked.certfile), str(locked.keyfile)), "HEADRACE_KAFKA_SSL_KEY_PASSWORD"),
        (Tls(ca, str(locked.certfile), str(locked.keyfile), "wrong"), "HEADRACE_KAFKA_SSL_KEY_PASSWORD"),
    ):
        with pytest.raises(SettingsError, match=said):
            tls_context(tls)
    tls_context(Tls(ca, str(locked.certfile), str(locked.keyfile), "k3y"))


def test_names_and_certificates_are_always_checked() -> None:
    """There is no setting that turns it off."""
    context = client_options(KafkaConnection("h:1", Tls()))["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


async def test_a_token_is_used_for_most_of_its_life(tokens: TokenEndpoint) -> None:
    """Asked for once, with the scope, and again before it ends."""
    now = 1000.0
    provider = TokenProvider(tokens.login("c", scope="kafka"), clock=lambda: now)
    first = await provider.token()
    now += tokens.life * 0.7
    assert await provider.token() == first
    assert tokens.asked == [{"grant_type": "client_credentials", "scope": "kafka"}]
    now += tokens.life * 0.2
    await provider.token()
    assert len(tokens.asked) == 2


async def test_a_refused_client_is_told_without_its_secret(tokens: TokenEndpoint) -> None:
    """The text names the settings."""
    with pytest.raises(TokenError, match="HEADRACE_KAFKA_OAUTH_CLIENT_ID") as raised:
        await TokenProvider(tokens.login("c", secret="hidden-word")).token()
    assert "hidden-word" not in str(raised.value)
