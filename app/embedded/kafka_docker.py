"""The broker as a container: the ``apache/kafka`` image by testcontainers, where a Docker engine answers."""

import hashlib
from pathlib import Path

from testcontainers.core.container import DockerContainer

from app.adapters.kafka.probe import broker_serves
from app.domain.errors import SetupError
from app.embedded.free_ports import HOST, keep_or_pick
from app.embedded.kafka_config import KAFKA_VERSION, container_environment, server_properties
from app.embedded.service import wait_until
from app.processes.home import Lock, read_json, write_json

_INSIDE = 9092
_DATA = "/var/lib/kafka/data"


class DockerKafka:
    """One Kafka node in a container; its data is in a named volume, so that stop and start keep data and port."""

    name = "kafka"
    pid: int | None = None

    def __init__(self, home: Path) -> None:
        self._state = home / "kafka.json"
        self._lock = Lock(home / "kafka.lock")
        self._volume = f"headrace-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"
        self._port: int | None = read_json(self._state).get("port")
        self._container: DockerContainer | None = None

    @property
    def url(self) -> str:
        """The bootstrap servers.

        Raises:
            SetupError: No port has been chosen yet: it was never prepared.
        """
        if self._port is None:
            raise SetupError("the embedded broker was never started; run `make up`")
        return f"{HOST}:{self._port}"

    def prepare(self) -> None:
        """Take the lock and choose the port.

        Raises:
            AlreadyStartedError: Another process runs this node.
        """
        self._lock.acquire()
        self._port = keep_or_pick(read_json(self._state).get("port"))
        write_json(self._state, {"port": self._port})

    def spawn(self) -> None:
        """Start the container, after removing what is left of one that ended."""
        if self._container is not None:
            self._container.stop(delete_volume=False)
        properties = server_properties(
            advertised_port=self._port or 0,
            port=_INSIDE,
            controller_port=9093,
            host="0.0.0.0",  # noqa: S104 - inside the container
            data=_DATA,
        )
        container = DockerContainer(f"apache/kafka:{KAFKA_VERSION}").with_bind_ports(_INSIDE, self._port)
        container.with_volume_mapping(self._volume, _DATA, "rw")
        container.with_env("KAFKA_HEAP_OPTS", "-Xms128m -Xmx512m")
        for name, value in container_environment(properties).items():
            container.with_env(name, value)
        self._container = container.start()

    def wait_ready(self) -> None:
        """Wait until it answers.

        Raises:
            SetupError: It ended or took more than two minutes.
        """
        wait_until(lambda: broker_serves(self.url), self.alive, 120.0, "the Kafka container")

    def alive(self) -> bool:
        """Return whether the container runs."""
        if self._container is None:
            return False
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        return bool(wrapped.status in {"created", "running", "restarting"})

    def stop(self) -> None:
        """Stop and remove the container; the volume stays."""
        if self._container is not None:
            self._container.stop(delete_volume=False)
            self._container = None
        self._lock.release()

    def kill(self) -> None:
        """End the container as a crash would; ``spawn`` starts it again on the same data and port."""
        if self._container is not None:
            self._container.get_wrapped_container().kill()
            self._container.stop(delete_volume=False)
            self._container = None
