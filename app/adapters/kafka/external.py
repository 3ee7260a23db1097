"""A broker that is not ours: asked whether it serves, before anything is started."""

from app.adapters.kafka.probe import broker_serves
from app.domain.errors import SetupError


class ExternalKafka:
    """A broker that is not ours."""

    name = "kafka"
    pid: int | None = None

    def __init__(self, bootstrap_servers: str) -> None:
        self.url = bootstrap_servers

    def prepare(self) -> None:
        """Nothing: it is there or not."""

    def spawn(self) -> None:
        """Nothing: it runs already."""

    def wait_ready(self) -> None:
        """Check that one of its servers answers, within 3 seconds each.

        Raises:
            SetupError: None does.
        """
        if any(broker_serves(server) for server in self.url.split(",")):
            return
        raise SetupError(f"no broker answers at {self.url}; check KAFKA_BOOTSTRAP_SERVERS (host:port,...), or unset it")

    def alive(self) -> bool:
        """Return True: its life is not ours to watch."""
        return True

    def stop(self) -> None:
        """Nothing: it is not ours."""
