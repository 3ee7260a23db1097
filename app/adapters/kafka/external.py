"""A broker that is not ours: asked whether it serves, before anything is started."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from app.adapters.kafka.reachability import problem
from app.domain.errors import SetupError
from app.domain.kafka_connection import KafkaConnection


class ExternalKafka:
    """A broker that is not ours."""

    name = "kafka"
    pid: int | None = None

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self.url = connection.servers

    def prepare(self) -> None:
        """Nothing: it is there or not."""

    def spawn(self) -> None:
        """Nothing: it runs already."""

    def wait_ready(self) -> None:
        """Check that one of its servers lets us in, within 3 seconds.

        Raises:
            SetupError: None does; the text says why, and names the setting.
            SettingsError: A certificate's file cannot be used.
        """
        # A loop of its own in a thread of its own: whoever waits may be a coroutine of another.
        with ThreadPoolExecutor(1) as thread:
            why = thread.submit(lambda: asyncio.run(problem(self._connection))).result()
        if why:
            raise SetupError(why)

    def alive(self) -> bool:
        """Return True: its life is not ours to watch."""
        return True

    def stop(self) -> None:
        """Nothing: it is not ours."""
