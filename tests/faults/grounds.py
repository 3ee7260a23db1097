"""What a scenario runs on: the shared servers, or some of its own kind; wires, a receiver, a mailbox."""

import random
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import psutil

from app.adapters.kafka.external import ExternalKafka
from app.domain.kafka_connection import KafkaConnection
from app.embedded.broker import KafkaNode, open_properties
from app.embedded.free_ports import HOST, pick_ports
from app.embedded.mail import Mailbox
from app.embedded.postgres import PostgresNode
from app.embedded.service import start
from app.embedded.webhook_receiver import WebhookReceiver
from app.processes.home import default_home
from tests.faults.destinations import fickle
from tests.faults.disk import Disk, own_disk
from tests.faults.scenario import Place, Scenario
from tests.support.broker import remove_topics
from tests.support.logins import as_process
from tests.support.secured.cluster import secured_kafka
from tests.support.servers import Servers
from tests.support.silence import Between, between
from tests.support.stack import ROLES, Stack
from tests.support.wires import Wire, laid

_IMPATIENCE_MS = 5_000
# What is tried here is no crash of these brokers: a machine that is busy for some seconds must not look like one.
_PATIENT = {"broker.session.timeout.ms": "18000"}


@dataclass(frozen=True, slots=True)
class Ground:
    """Servers of one scenario.

    Attributes:
        nodes: The brokers, where they are its own.
        far: The port behind the wire, and the wire's own; where there is one.
        disk: What Postgres's log can be put on, where there is one.
    """

    on: Servers
    nodes: tuple[KafkaNode, ...] = ()
    far: tuple[int, int] | None = None
    disk: Disk | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A scenario's installation, its surroundings, and where its effects are kept."""

    place: Place
    receiver: WebhookReceiver
    mailbox: Mailbox
    hooks: str = field(default="")


@contextmanager
def ground_of(scenario: Scenario, on: Servers) -> Iterator[Ground]:
    """Run the servers that a scenario needs of its own, which begin empty, beside those that all share."""
    home = on.home / scenario.broker
    shutil.rmtree(home, ignore_errors=True)
    scenario.prepare()
    match scenario.broker:
        case "shared" if scenario.disk:
            with own_disk() as disk, _on_disk(home, disk) as postgres:
                yield Ground(replace(on, postgres=postgres), disk=disk)
        case "shared":
            yield Ground(on)
        case "three":
            with secured_kafka(home, [], brokers=3) as cluster:
                kafka = ExternalKafka(KafkaConnection(cluster.inner))
                yield Ground(replace(on, kafka=kafka), tuple(cluster.nodes))
        case "impatient":
            with _node(home, {"connections.max.idle.ms": str(_IMPATIENCE_MS)}) as node:
                yield Ground(replace(on, kafka=node), (node,))
        case "wired":
            far, wire = pick_ports(2)
            with _node(home, {}, (far, wire)) as node:
                yield Ground(replace(on, kafka=node), (node,), (far, wire))


@contextmanager
def _on_disk(home: Path, disk: Disk) -> Iterator[PostgresNode]:
    node = PostgresNode(home, environment=disk.environment)
    try:
        start(node)
        assert node.pid is not None
        disk.give_to(psutil.Process(node.pid).username())
        yield node
    finally:
        node.stop()


@contextmanager
def _node(home: Path, settings: Mapping[str, str], far: tuple[int, int] | None = None) -> Iterator[KafkaNode]:
    def properties(port: int, controller_port: int, data: str) -> dict[str, str]:
        made = {**open_properties(port, controller_port, data), **_PATIENT, **settings}
        return made if far is None else made | second_door(made, *far)

    node = KafkaNode(home, default_home(), properties=properties)
    try:
        start(node)
        yield node
    finally:
        node.stop()


def second_door(properties: Mapping[str, str], port: int, wire: int) -> dict[str, str]:
    """Return the settings of a second listener, whose clients are told to come by a wire."""
    return {
        "listeners": f"{properties['listeners']},FAR://{HOST}:{port}",
        "advertised.listeners": f"{properties['advertised.listeners']},FAR://{HOST}:{wire}",
        "listener.security.protocol.map": f"{properties['listener.security.protocol.map']},FAR:PLAINTEXT",
    }


@asynccontextmanager
async def site_of(scenario: Scenario, seed: int, ground: Ground) -> AsyncIterator[Site]:
    """Run a scenario's installation on a fresh database and fresh topics."""
    on, chance, prefix = ground.on, random.Random(seed), f"f{uuid4().hex[:8]}."
    database = on.fresh_database(f"faults_{scenario.name.replace('-', '_')}")
    mailbox, receiver = Mailbox(), WebhookReceiver()
    async with AsyncExitStack() as leaving:
        await mailbox.start()
        leaving.push_async_callback(mailbox.stop)
        await receiver.start()
        leaving.push_async_callback(receiver.stop)
        front = await leaving.enter_async_context(fickle(receiver.port, chance)) if scenario.fickle else None
        wires = {
            role: await leaving.enter_async_context(between(as_process(database, role))) for role in _wired(scenario)
        }
        far = await leaving.enter_async_context(laid(Wire(HOST, ground.far[0]), ground.far[1])) if ground.far else None
        leaving.push_async_callback(remove_topics, on.bootstrap, prefix)
        mail = {"HEADRACE_SMTP_HOST": HOST, "HEADRACE_SMTP_PORT": str(mailbox.smtp_port)}
        stack = Stack(
            on.bootstrap,
            database,
            prefix,
            on.home / "stack" / prefix,
            roles=scenario.roles,
            environment={**mail, **scenario.environment},
            by_role=_ways(scenario, wires, far),
        )
        await leaving.enter_async_context(stack)
        place = Place(
            stack, chance, scenario.seconds, on, ground.nodes, wires, far, front, scenario.behind, ground.disk
        )
        yield Site(place, receiver, mailbox, front.url if front else receiver.url)


def _wired(scenario: Scenario) -> tuple[str, ...]:
    return ROLES if scenario.wired else ()


def _ways(scenario: Scenario, wires: Mapping[str, Between], far: Wire | None) -> dict[str, dict[str, str]]:
    """Return the settings of the roles that reach a server by a wire."""
    ways: dict[str, dict[str, str]] = {role: {"DATABASE_URL": wire.url} for role, wire in wires.items()}
    for role in scenario.behind:
        assert far is not None
        ways.setdefault(role, {})["KAFKA_BOOTSTRAP_SERVERS"] = f"{HOST}:{far.port}"
    return ways
