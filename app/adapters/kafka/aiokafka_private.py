"""What we need of aiokafka's consumer and it has no setting or accessor for: nothing else reaches into it.

Each takes an ``AIOKafkaConsumer``. Its fields are read when it starts, unless said otherwise. What a new version of
aiokafka changes here is seen by ``tests/integration/transport/test_private_parts.py``.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from app.adapters.kafka.faust_parts import TP


def read_committed(consumer: Any) -> None:
    """Before it starts: read only what its producer has committed; Faust offers no setting."""
    consumer._isolation_level = "read_committed"


def fetch_by(consumer: Any, *, min_bytes: int, max_wait_ms: int) -> None:
    """Before it starts: have the broker answer once it has so many bytes, or after so long; Faust has no setting."""
    consumer._fetch_min_bytes = min_bytes
    consumer._fetch_max_wait_ms = max_wait_ms


def wrap_fetches(consumer: Any, client: Callable[[Any], Any], fetch: Callable[[Any], Any]) -> None:
    """Once it has started: put our own around the client that its fetcher sends with, and around each of its fetches.

    Args:
        consumer: It.
        client: Given the client (``send``, and what else it has), returns what to use instead.
        fetch: Given ``async (assignment, node, request) -> bool``, returns what to call instead.
    """
    fetcher = consumer._fetcher
    fetcher._client = client(fetcher._client)
    fetcher._proc_fetch_request = fetch(fetcher._proc_fetch_request)


def take_at_most(consumer: Any, records: int) -> None:
    """At any time: bound what the next poll returns."""
    consumer._max_poll_records = records


def wake_polls(consumer: Any) -> None:
    """Let polls that wait look again at what has been fetched."""
    for waiter in list(consumer._fetcher._fetch_waiters):
        if not waiter.done():
            waiter.set_result(None)


def state_of(consumer: Any, tp: TP) -> Any:
    """Return what it knows of a partition (``position``, ``has_valid_position``, ``lso``); None where it has it not."""
    subscription = consumer._subscription.subscription
    assignment = subscription and subscription.assignment
    return assignment and assignment.state_value(tp)


def generation(consumer: Any) -> int:
    """Return the generation of its group that it is a member of; -1 before that."""
    coordinator = getattr(consumer, "_coordinator", None)
    return -1 if coordinator is None else int(coordinator.generation)


def become_dynamic(consumer: Any) -> None:
    """Forget the instance id: for a static member no LeaveGroup is sent when it closes."""
    consumer._coordinator._group_instance_id = None


async def leave_group(consumer: Any, *, within: float) -> None:
    """Leave the group now, and end all commits; its fetches go on."""
    become_dynamic(consumer)
    await asyncio.wait([asyncio.ensure_future(consumer._coordinator.close())], timeout=within)


async def learn_of(consumer: Any, topics: Iterable[str]) -> None:
    """Ask for the metadata of several topics at once; without, each is asked for by itself."""
    await consumer._client.set_topics(topics)
