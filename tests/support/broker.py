"""The test session's broker and the topics that a test leaves on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from app.embedded.broker import make_kafka
from app.embedded.service import start


@contextmanager
def running_kafka(home: Path) -> Iterator[str]:
    """Yield the bootstrap servers of a broker whose data is in ``home``; end it after.

    Raises:
        SetupError: There is no way to a broker; the tests fail with what to install.
    """
    kafka = make_kafka(home)
    start(kafka)
    try:
        yield kafka.url
    finally:
        kafka.stop()


async def remove_topics(bootstrap_servers: str, prefix: str) -> None:
    """Delete the topics whose names start with ``prefix``: thousands of idle partitions slow a broker down."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        doomed = [name for name in await admin.list_topics() if name.startswith(prefix)]
        if doomed:
            await admin.delete_topics(doomed)
    finally:
        await admin.close()
