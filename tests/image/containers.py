"""The services of docker-compose.yml as containers of the host's network, on a broker and a Postgres that run there."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

from app.embedded.free_ports import pick_ports
from tests.benchmarks.progress import say
from tests.deployment.compose import container_environment, example, ours
from tests.image.engine import Engine, EngineError
from tests.support.deadlines import Deadline
from tests.support.servers import Servers

IMAGE: Final = "localhost/headrace:test"
STAND_INS: Final = "localhost/headrace-stand-ins:test"
JOBS: Final = ("migrate", "database-users", "templates", "topics")
_READY_WITHIN_S: Final = 180.0
STOPPED_WITHIN_S: Final = 45


class Containers:
    """What an operator's `docker compose up` starts, one container a service.

    Attributes:
        environment: The example of .env, filled in.
    """

    def __init__(self, engine: Engine, on: Servers, database: str, prefix: str) -> None:
        self._engine = engine
        self.environment = filled_in(on, database, prefix)
        self.admin_port = pick_ports(1)[0]
        self.running: dict[str, str] = {}

    def job(self, name: str) -> str:
        """Run a job to its end."""
        say(f"{name}")
        service = ours()[name]
        return self._engine.run(IMAGE, service["command"], self._of(service), *locked_in(service))

    def start(self, name: str, service: str, *options: str) -> None:
        """Start a role's container under a host name of its own; its id is the last line printed."""
        found = ours()[service]
        first = ["--init"] if found["init"] else []
        host = "--hostname", f"host-{name}", "--uts", "private"
        container = self._engine.run(
            IMAGE, found["command"], self._of(found), "--detach", *first, *host, *locked_in(found), *options
        )
        self.running[name] = container

    def stop(self, name: str) -> float:
        """Stop one by SIGTERM, which is SIGKILL after the time that compose gives it; returns the seconds it took."""
        container, began = self.running.pop(name), time.monotonic()
        self._engine.call("stop", "--time", str(STOPPED_WITHIN_S), container, within=STOPPED_WITHIN_S + 30)
        return time.monotonic() - began

    def wait_ready(self) -> float:
        """Wait until each says that it is ready; returns the seconds.

        Raises:
            EngineError: One does not; the text has the end of its log.
        """
        began, waiting, deadline = time.monotonic(), dict(self.running), Deadline(_READY_WITHIN_S)
        while waiting:
            waiting = {name: container for name, container in waiting.items() if not self._engine.well(container)}
            say(f"not ready yet: {', '.join(waiting) or 'none'}", passing=True)
            if waiting and deadline.left() <= 0:
                name, container = waiting.popitem()
                raise EngineError(f"{name} does not get ready:\n{self._engine.logs(container)}")
        return time.monotonic() - began

    def exec(self, name: str, *command: str) -> str:
        """Run a command in one's container."""
        return self._engine.call("exec", self.running[name], *command)

    def _of(self, service: Mapping[str, Any]) -> dict[str, str]:
        """Return a container's variables; all share the host's ports here, so each has its own."""
        metrics = {"HEADRACE_METRICS_HOST": "127.0.0.1", "HEADRACE_METRICS_PORT": str(pick_ports(1)[0])}
        admin = {"HEADRACE_ADMIN_HOST": "127.0.0.1", "HEADRACE_ADMIN_PORT": str(self.admin_port)}
        return {**container_environment(service, self.environment), **metrics, **admin}


@contextmanager
def containers(engine: Engine, on: Servers, database: str, prefix: str) -> Iterator[Containers]:
    """Yield what starts containers, and remove afterwards what is left of them."""
    place = Containers(engine, on, database, prefix)
    try:
        yield place
    finally:
        for container in place.running.values():
            with suppress(EngineError):
                engine.call("rm", "--force", "--time", "5", container)


def filled_in(on: Servers, database: str, prefix: str) -> dict[str, str]:
    """Return the example as an operator fills it in, for servers of his own."""
    owner = urlsplit(database)
    chosen = {
        name: f"{'0123456789abcdef' * 2}{name.replace('_', '')}" if value == "CHANGE_ME" else value
        for name, value in example().items()
    }
    return {
        **chosen,
        "KAFKA_BOOTSTRAP_SERVERS": on.bootstrap,
        "DATABASE_SERVER": f"{owner.hostname}:{owner.port}",
        "DATABASE_NAME": owner.path.removeprefix("/"),
        "DATABASE_OWNER": owner.username or "postgres",
        "POSTGRES_PASSWORD": owner.password or "none",
        "HEADRACE_TOPIC_PREFIX": prefix,
    }


def locked_in(service: Mapping[str, Any]) -> list[str]:
    """Return what the file says of a container's rights, as options of the engine."""
    assert service["read_only"]
    folders = [part for folder in service["tmpfs"] for part in ("--tmpfs", folder)]
    dropped = [f"--cap-drop={name}" for name in service["cap_drop"]]
    rights = [f"--security-opt={name.partition(':')[0]}" for name in service["security_opt"]]
    return ["--read-only", *dropped, *rights, *folders]
