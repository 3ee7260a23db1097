"""One or several brokers that demand a login and encryption of everybody but each other, and refuse what no ACL allows.

Each has five doors: ``sasl`` (SASL_SSL: PLAIN, SCRAM, OAUTHBEARER), ``tls`` (SSL with certificates of clients),
``clear`` (SASL_PLAINTEXT), ``astray``, which sends clients to where nobody is, and one that only the tests' own helpers
and the brokers use, where whoever comes is an administrator.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.domain.kafka_connection import KafkaConnection, Mechanism, PasswordLogin, Tls
from app.embedded.broker import KafkaNode, PropertiesOf, new_cluster_id, open_properties
from app.embedded.free_ports import HOST, pick_ports
from app.processes.home import default_home, write_json
from tests.support.secured.certificates import Authority, Pair

PASSWORD: Final = "p4ss-w0rd"
ADMIN: Final = "operator"
NOWHERE: Final = f"{HOST}:1"
_MECHANISMS: Final = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER"
_MODULES: Final = "org.apache.kafka.common.security"
_LISTENERS: Final = {
    "plain": "PLAINTEXT",
    "controller": "CONTROLLER",
    "sasl": "SASL",
    "tls": "TLS",
    "clear": "CLEAR",
    "astray": "ASTRAY",
}


@dataclass(frozen=True, slots=True)
class Secured:
    """A cluster that runs.

    Attributes:
        inner: Bootstrap servers of the door for the tests' own helpers.
        doors: Bootstrap servers by door.
        authority: Signed the brokers' certificates, and is trusted for those of clients.
        nodes: The brokers.
    """

    inner: str
    doors: Mapping[str, str]
    authority: Authority
    nodes: Sequence[KafkaNode]

    def login(self, user: str, mechanism: Mechanism = "SCRAM-SHA-256", password: str = PASSWORD) -> KafkaConnection:
        """Return the connection of a user over SASL_SSL."""
        tls = Tls(str(self.authority.cafile))
        return KafkaConnection(self.doors["sasl"], tls, PasswordLogin(mechanism, user, password))

    def certificate(self, pair: Pair, key_password: str = "") -> KafkaConnection:
        """Return the connection of who shows a certificate."""
        tls = Tls(str(self.authority.cafile), str(pair.certfile), str(pair.keyfile), key_password)
        return KafkaConnection(self.doors["tls"], tls)

    def environment(self, user: str) -> dict[str, str]:
        """Return the settings of a role that logs in as a user."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.doors["sasl"],
            "HEADRACE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "HEADRACE_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "HEADRACE_KAFKA_SASL_USERNAME": user,
            "HEADRACE_KAFKA_SASL_PASSWORD": PASSWORD,
            "HEADRACE_KAFKA_SSL_CAFILE": str(self.authority.cafile),
        }


@contextmanager
def secured_kafka(home: Path, users: Sequence[str], *, brokers: int = 1) -> Iterator[Secured]:
    """Run brokers that know ``users`` by PASSWORD; ADMIN may do everything, the others what ACLs allow."""
    authority = Authority(home, "authority")
    everybody = [ADMIN, *users]
    ports = iter(pick_ports(brokers * len(_LISTENERS)))
    doors = {door: [next(ports) for _ in range(brokers)] for door in _LISTENERS}
    plan = _Plan(everybody, doors, authority.cafile, authority.sign("broker").store)
    cluster = new_cluster_id()
    nodes: list[KafkaNode] = []
    with ExitStack() as stack:
        for index in range(brokers):
            folder = home / f"node-{index + 1}"
            folder.mkdir(parents=True)
            write_json(folder / "kafka.json", _ports(doors, index))
            node = KafkaNode(
                folder,
                default_home(),
                properties=plan.node(index),
                format_options=_scram(everybody),
                cluster=cluster,
            )
            node.prepare()
            stack.callback(node.stop)
            nodes.append(node)
        for node in nodes:
            node.spawn()
        for node in nodes:
            node.wait_ready()
        servers = {door: ",".join(f"{HOST}:{port}" for port in each) for door, each in doors.items()}
        yield Secured(servers["plain"], servers, authority, nodes)


def _ports(doors: Mapping[str, Sequence[int]], index: int) -> dict[str, int]:
    return {"port": doors["plain"][index], "controller_port": doors["controller"][index]}


def _scram(users: Sequence[str]) -> list[str]:
    return [
        word
        for user in users
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
        for word in ("--add-scram", f'{mechanism}=[name="{user}",password="{PASSWORD}"]')
    ]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the brokers have in common."""

    users: Sequence[str]
    doors: Mapping[str, Sequence[int]]
    cafile: Path
    store: Path

    def node(self, index: int) -> PropertiesOf:
        """Return what makes one broker's settings."""

        def made(port: int, controller_port: int, data: str) -> dict[str, str]:
            return open_properties(port, controller_port, data) | {
                "node.id": str(index + 1),
                **self._cluster(),
                **self._listeners(index),
                **_tls(self.cafile, self.store),
                **_sasl(self.users),
            }

        return made

    def _cluster(self) -> dict[str, str]:
        brokers = len(self.doors["plain"])
        copies, least = str(min(brokers, 3)), str(min(brokers, 2))
        voters = enumerate(self.doors["controller"], start=1)
        return {
            "controller.quorum.voters": ",".join(f"{number}@{HOST}:{port}" for number, port in voters),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:ANONYMOUS;User:{ADMIN}",
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": least,
            "share.coordinator.state.topic.replication.factor": copies,
        }

    def _listeners(self, index: int) -> dict[str, str]:
        doors = {_LISTENERS[door]: ports[index] for door, ports in self.doors.items()}
        listeners = {name: f"{name}://{HOST}:{port}" for name, port in doors.items()}
        return {
            "listeners": ",".join(listeners.values()),
            "advertised.listeners": ",".join(
                f"ASTRAY://{NOWHERE}" if name == "ASTRAY" else one
                for name, one in listeners.items()
                if name != "CONTROLLER"
            ),
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL,TLS:SSL,CLEAR:SASL_PLAINTEXT,ASTRAY:SASL_PLAINTEXT"
            ),
        }


def _tls(cafile: Path, store: Path) -> dict[str, str]:
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(cafile),
        "listener.name.tls.ssl.client.auth": "required",
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
    }


def _sasl(users: Sequence[str]) -> dict[str, str]:
    plain = " ".join(f'user_{user}="{PASSWORD}"' for user in users)
    modules = {
        "plain": f"{_MODULES}.plain.PlainLoginModule required {plain};",
        "scram-sha-256": f"{_MODULES}.scram.ScramLoginModule required;",
        "scram-sha-512": f"{_MODULES}.scram.ScramLoginModule required;",
        "oauthbearer": f"{_MODULES}.oauthbearer.OAuthBearerLoginModule required;",
    }
    return {f"listener.name.{door}.sasl.enabled.mechanisms": _MECHANISMS for door in ("sasl", "clear", "astray")} | {
        f"listener.name.{door}.{mechanism}.sasl.jaas.config": module
        for door in ("sasl", "clear", "astray")
        for mechanism, module in modules.items()
    }
