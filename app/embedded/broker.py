"""The broker of ``make up`` and the tests: Apache Kafka as a JVM of ours, or the server that the user names."""

import os
import shutil
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.adapters.kafka.external import ExternalKafka
from app.adapters.kafka.probe import broker_serves
from app.domain.errors import SetupError
from app.embedded.child import Child, Command
from app.embedded.detection import java_program, look
from app.embedded.free_ports import HOST, keep_or_pick
from app.embedded.kafka_config import KAFKA_VERSION, properties_text, server_properties
from app.embedded.service import Service, wait_until
from app.embedded.tiers import Facts, choose_kafka
from app.embedded.tool import run_tool
from app.processes.home import Lock, default_home, open_private, read_json, waiting_lock, write_json
from app.settings import load_settings

_HERE = Path(__file__).parent
_START_WITHIN = 180.0


def make_kafka(
    home: Path, *, libs_home: Path | None = None, facts: Facts | None = None, long_lived: bool = False
) -> Service:
    """Return the broker that serves here, not started.

    Args:
        home: Folder of its data.
        libs_home: Folder that keeps Kafka's jars; the clone's own by default, so that tests download nothing twice.
        facts: What there is; looked up by default.
        long_lived: It will run for long enough that its JVM may optimise, as a broker in production does.

    Raises:
        SetupError: There is no way to a broker; the message says what to install.
    """
    facts = facts or look()
    tier = choose_kafka(facts)
    if tier == "external":
        return ExternalKafka(replace(load_settings().kafka_connection, servers=facts.bootstrap_servers or ""))
    if tier == "docker":
        from app.embedded.kafka_docker import DockerKafka  # noqa: PLC0415 - slow import, one tier only

        return DockerKafka(home)
    return KafkaNode(home, libs_home or default_home(), long_lived=long_lived)


PropertiesOf = Callable[[int, int, str], dict[str, str]]


def open_properties(port: int, controller_port: int, data: str) -> dict[str, str]:
    """Return the settings of a node that is alone and lets everybody in, on this machine only."""
    return server_properties(advertised_port=port, port=port, controller_port=controller_port, host=HOST, data=data)


def new_cluster_id() -> str:
    """Return a new id of a cluster."""
    # The version's digit comes first, so that it never begins with a dash, which the tool takes for an option.
    return urlsafe_b64encode(uuid.uuid4().bytes[6:] + uuid.uuid4().bytes[:6]).decode().rstrip("=")


class KafkaNode:
    """Apache Kafka in KRaft mode from Maven's jars: one node, its data under ``home/kafka``.

    Stop and start keep data and port. Only one process at a time can hold a node; what a killed one left is ended.

    Args:
        home: Folder of its data.
        libs_home: Folder that keeps Kafka's jars.
        long_lived: Its JVM may optimise.
        properties: Makes its settings of its port, its controller's and the folder of its logs.
        format_options: What else its data is formatted with, such as users.
        cluster: Id of the cluster that it is one of; one of its own by default.
        version: Kafka's.
    """

    name = "kafka"

    def __init__(
        self,
        home: Path,
        libs_home: Path,
        *,
        long_lived: bool = False,
        properties: PropertiesOf = open_properties,
        format_options: Sequence[str] = (),
        cluster: str | None = None,
        version: str = KAFKA_VERSION,
    ) -> None:
        self._home = home
        self._properties_of = properties
        self._format_options = tuple(format_options)
        self._cluster = cluster or new_cluster_id()
        self._long_lived = long_lived
        self._root = home / "kafka"
        self._data = self._root / "data"
        self._version = version
        self._libs = libs_home / f"kafka-libs-{version}"
        self._state = home / "kafka.json"
        self._properties = self._root / "server.properties"
        self._lock = Lock(home / "kafka.lock")
        self._port: int | None = read_json(self._state).get("port")
        self._child = Child(self._command(), home)

    @property
    def url(self) -> str:
        """The bootstrap servers.

        Raises:
            SetupError: No port has been chosen yet: it was never prepared.
        """
        if self._port is None:
            raise SetupError("the embedded broker was never started; run `make up`")
        return f"{HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """The JVM's pid while it runs."""
        return self._child.pid

    def prepare(self) -> None:
        """Take the lock, fetch the jars, choose ports, write the settings, format the data once.

        Raises:
            AlreadyStartedError: Another process runs this node.
            SetupError: Maven or the format failed.
        """
        self._lock.acquire()
        self._child.end_leftover()
        fetch_jars(self._libs, self._version)
        self._choose_ports()
        if not (self._data / "meta.properties").exists():
            self._format()

    def spawn(self) -> None:
        """Start the JVM; from a thread that lives on."""
        self._lock.acquire()
        self._child.spawn()

    def wait_ready(self) -> None:
        """Wait until it answers.

        Raises:
            SetupError: It ended or took more than three minutes; the message ends with what it logged.
        """
        try:
            wait_until(lambda: broker_serves(self.url), self._child.alive, _START_WITHIN, "Kafka")
        except SetupError as error:
            raise SetupError(f"{error}; see {self._child.log}\n{self._child.log_tail()}") from None

    def alive(self) -> bool:
        """Return whether the JVM runs."""
        return self._child.alive()

    def stop(self) -> None:
        """End it cleanly and let go of the lock."""
        self._child.stop()
        self._lock.release()

    def kill(self) -> None:
        """End it as a crash would; ``spawn`` starts it again on the same data and port."""
        self._child.kill()

    def _choose_ports(self) -> None:
        saved = read_json(self._state)
        self._port = keep_or_pick(saved.get("port"))
        controller = keep_or_pick(saved.get("controller_port"))
        write_json(self._state, {"port": self._port, "controller_port": controller})
        properties = self._properties_of(self._port, controller, str(self._data))
        with os.fdopen(open_private(self._properties, os.O_TRUNC), "w") as file:
            file.write(properties_text(properties))

    def _format(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        arguments = ("kafka.tools.StorageTool", "format", "-t", self._cluster, "-c", str(self._properties))
        run_tool([*self._java("-XX:TieredStopAtLevel=1"), *arguments, *self._format_options], "formatting Kafka's data")

    def _java(self, *options: str) -> list[str]:
        return [java_program() or "java", *options, "-cp", f"{self._libs}/*"]

    def _command(self) -> Command:
        options = (
            "-Xms128m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            # The optimising compiler takes half a core for the first minutes, which is most of many a broker's life.
            *(() if self._long_lived else ("-XX:TieredStopAtLevel=1",)),
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={_HERE / 'log4j2.properties'}",
        )
        return Command("kafka", (*self._java(*options), "kafka.Kafka", str(self._properties)))


def fetch_jars(libs: Path, version: str = KAFKA_VERSION) -> None:
    """Fill ``libs`` with Kafka's jars by Maven, unless it is filled; two at once wait for each other.

    Raises:
        SetupError: Maven failed; the message ends with its last lines.
    """
    with waiting_lock(libs.with_name(f"{libs.name}.lock")):
        if libs.exists():
            return
        draft = Path(tempfile.mkdtemp(prefix=f"{libs.name}.", dir=libs.parent))
        goal = (
            "dependency:copy-dependencies",
            f"-Dkafka.version={version}",
            f"-DoutputDirectory={draft}",
            "-DincludeScope=runtime",
        )
        run_tool(["mvn", "-q", "-B", "-f", str(_HERE / "pom.xml"), *goal], "fetching Kafka with Maven", timeout=600)
        draft.replace(libs)
