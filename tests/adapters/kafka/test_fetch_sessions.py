"""Fetch sessions, against a broker's rules for them (KIP-227)."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.client import ConnectionGroup
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v6, FetchRequest_v11
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.fetch_sessions import SessionClient

NOT_FOUND, WRONG_EPOCH = 70, 71

Partitions = dict[tuple[str, int], tuple[int, int]]


class Broker:
    """Keeps sessions as KIP-227 says; ``asked`` is what each fetch meant, ``named`` what it named."""

    def __init__(self) -> None:
        self.sessions: dict[int, tuple[int, Partitions]] = {}
        self.made = 0
        self.asked: list[Partitions] = []
        self.named: list[int] = []
        self.lose_answer = False
        self.version: Any = FetchRequest_v11

    async def send(self, _node: int, request: FetchRequest, **_options: Any) -> Any:
        """Answer a fetch."""
        fetch = request.build(self.version)
        named = {(topic, row[0]): (row[-3], row[-1]) for topic, rows in fetch.topics for row in rows}
        self.named.append(len(named))
        answer = self._answer(fetch, named)
        if self.lose_answer:
            self.lose_answer = False
            raise ConnectionError
        return answer

    def _answer(self, fetch: Any, named: Partitions) -> Any:
        if fetch.API_VERSION < 7:
            self.asked.append(named)
            return SimpleNamespace(topics=[])
        if fetch.session_epoch == 0:
            self.made += 1
            self.sessions[self.made] = (1, named)
            self.asked.append(named)
            return SimpleNamespace(error_code=0, session_id=self.made, topics=[])
        if fetch.session_id not in self.sessions:
            return SimpleNamespace(error_code=NOT_FOUND, session_id=0, topics=[])
        epoch, known = self.sessions[fetch.session_id]
        if fetch.session_epoch != epoch:
            return SimpleNamespace(error_code=WRONG_EPOCH, session_id=0, topics=[])
        gone = {(topic, partition) for topic, partitions in fetch.forgotten_topics_data for partition in partitions}
        known = {key: value for key, value in (known | named).items() if key not in gone}
        self.sessions[fetch.session_id] = (epoch + 1, known)
        self.asked.append(known)
        return SimpleNamespace(error_code=0, session_id=fetch.session_id, topics=[])


def fetch_of(partitions: Mapping[tuple[str, int], int]) -> FetchRequest:
    """Return aiokafka's fetch of partitions, each from an offset."""
    topics: dict[str, list[tuple[int, int, int]]] = {}
    for (topic, partition), offset in partitions.items():
        topics.setdefault(topic, []).append((partition, offset, 1000))
    return FetchRequest(100, 1, 5000, 1, list(topics.items()))


def meant(partitions: Mapping[tuple[str, int], int]) -> Partitions:
    """Return what a fetch of these partitions means to a broker."""
    return {key: (offset, 1000) for key, offset in partitions.items()}


KEYS = st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 3))
FETCHES = st.lists(
    st.tuples(st.dictionaries(KEYS, st.integers(0, 2)), st.sampled_from(["", "", "forgotten", "lost"])), max_size=12
)


@given(FETCHES)
async def test_the_broker_always_knows_what_is_asked_for(fetches: list[tuple[dict[tuple[str, int], int], str]]) -> None:
    """Each fetch that is answered meant exactly the partitions and offsets that the consumer asked for.

    Whatever partitions come, go and move, whatever the broker forgets, and whichever answers are lost.
    """
    broker = Broker()
    client = SessionClient(broker)
    for partitions, mishap in fetches:
        if mishap == "forgotten":
            broker.sessions.clear()
        broker.lose_answer = mishap == "lost"
        if broker.lose_answer:
            with pytest.raises(ConnectionError):
                await client.send(1, fetch_of(partitions))
        else:
            await client.send(1, fetch_of(partitions))
            assert broker.asked[-1] == meant(partitions)


async def test_only_what_changed_is_named() -> None:
    """The second fetch names the one partition that has moved, the third none."""
    broker = Broker()
    client = SessionClient(broker)
    partitions = {("a", number): 5 for number in range(30)}
    await client.send(1, fetch_of(partitions))
    await client.send(1, fetch_of(partitions | {("a", 7): 6}))
    await client.send(1, fetch_of(partitions | {("a", 7): 6}))
    assert broker.named == [30, 1, 0]
    assert broker.made == 1


async def test_each_broker_has_a_session_of_its_own() -> None:
    """Sessions belong to a node: what one knows says nothing about another."""
    one, two = Broker(), Broker()

    class Both:
        async def send(self, node: int, request: FetchRequest, **options: Any) -> Any:
            return await (one if node == 1 else two).send(node, request, **options)

    client = SessionClient(Both())
    for node in (1, 2, 1):
        await client.send(node, fetch_of({("a", node): 0}))
    assert (one.named, two.named) == ([1, 0], [1])


async def test_a_broker_without_sessions_is_asked_in_full() -> None:
    """Before Kafka 1.1 there are none: every fetch names everything."""
    broker = Broker()
    broker.version = FetchRequest_v6
    client = SessionClient(broker)
    for _ in range(2):
        await client.send(1, fetch_of({("a", 0): 0, ("a", 1): 0}))
    assert broker.named == [2, 2]


async def test_other_requests_pass_untouched() -> None:
    """What is no fetch goes to the client as it is, with its options; other attributes are the client's."""

    class Client:
        cluster = "c"

        async def send(self, node: int, request: object, **options: object) -> object:
            return node, request, options

    client = SessionClient(Client())
    assert await client.send(3, "metadata", group=1) == (3, "metadata", {"group": 1})
    assert client.cluster == "c"


class Connection:
    """Notes that it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


class Holding:
    """A client of a broker that holds every fetch; ``held`` is for how long, ``connections`` what it has open."""

    def __init__(self) -> None:
        self.held: list[int] = []
        self.connections: dict[tuple[int, int], Connection] = {}
        self._conns = self.connections

    async def send(self, node: int, request: FetchRequest, *, group: int) -> Any:
        self.held.append(request.build(FetchRequest_v11).max_wait_time)
        self.connections.setdefault((node, group), Connection())
        await asyncio.Event().wait()


@pytest.mark.parametrize(("held_ms", "closed"), [(100, [False]), (1000, [True])])
async def test_a_fetch_that_is_broken_off_while_it_is_held_long_ends_with_its_connection(
    held_ms: int, closed: list[bool]
) -> None:
    """Else the next one would wait behind it; one that ends soon by itself is not worth another connection."""
    client = Holding()
    asking = asyncio.create_task(SessionClient(client, lambda _: held_ms).send(1, fetch_of({("a", 0): 0})))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert client.held == [held_ms]
    assert [connection.closed for connection in client.connections.values()] == closed


async def test_fetches_have_connections_of_their_own() -> None:
    """Neither of aiokafka's two: what else is asked of the broker does not stand behind a fetch that is held."""
    client = Holding()
    asking = asyncio.create_task(SessionClient(client).send(1, fetch_of({("a", 0): 0})))
    await asyncio.sleep(0)
    ((_, group),) = client.connections
    assert group not in set(ConnectionGroup)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
