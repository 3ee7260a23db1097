"""What we set and read of aiokafka's and Faust's that has no accessor, on a broker: it still does what it is for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v4

from app.adapters.kafka import aiokafka_private
from app.adapters.kafka.faust_private import channels_by_partition
from tests.integration.transport.apps import Place, Reader, numbered, running, tp
from tests.support.consumer_groups import group_admin, members
from tests.support.waiting import eventually, in_time

pytestmark = pytest.mark.kafka


@asynccontextmanager
async def consumer(place: Place, *topics: str, **options: Any) -> AsyncIterator[Any]:
    """Run a plain consumer; ``before`` among the options is called before it starts."""
    before = options.pop("before", None)
    common = {"bootstrap_servers": place.kafka, "auto_offset_reset": "earliest", "enable_auto_commit": False}
    made = AIOKafkaConsumer(*topics, **common, **options)
    if before is not None:
        before(made)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def test_read_committed_is_what_the_fetcher_then_does(place: Place) -> None:
    """A record of a transaction that is aborted does not come; with the default it would."""
    async with AIOKafkaProducer(bootstrap_servers=place.kafka, transactional_id=f"{place.prefix}tx") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(place.topic, b"aborted", partition=0)
        await producer.abort_transaction()
    await place.produce("last", partition=0)
    seen: dict[str, bytes | None] = {}
    for name, before in (("ours", aiokafka_private.read_committed), ("default", None)):
        async with consumer(place, before=before) as one:
            one.assign([TopicPartition(place.topic, 0)])
            seen[name] = (await in_time(one.getone(), 20, what="a record")).value
    assert seen == {"ours": b"last", "default": b"aborted"}


async def test_fetches_ask_for_the_bytes_and_the_wait_that_were_set(place: Place) -> None:
    """As they go out, and in what was put around the client and around each fetch."""
    asked: list[tuple[int, int]] = []
    turns: list[Any] = []

    class Client:
        """Notes what is asked for."""

        def __init__(self, client: Any) -> None:
            self._client = client

        def __getattr__(self, name: str) -> Any:
            return getattr(self._client, name)

        async def send(self, node: Any, request: Any, **options: Any) -> Any:
            if isinstance(request, FetchRequest):
                built = request.build(FetchRequest_v4)
                asked.append((built.min_bytes, built.max_wait_time))
            return await self._client.send(node, request, **options)

    def counted(fetch: Any) -> Any:
        async def noted(assignment: Any, node: Any, request: Any) -> bool:
            turns.append(node)
            return bool(await fetch(assignment, node, request))

        return noted

    await place.produce("one", partition=0)
    async with consumer(place, before=lambda one: aiokafka_private.fetch_by(one, min_bytes=7, max_wait_ms=45)) as one:
        aiokafka_private.wrap_fetches(one, Client, counted)
        one.assign([TopicPartition(place.topic, 0)])
        assert (await in_time(one.getone(), 20, what="a record")).value == b"one"
    assert set(asked) == {(7, 45)}
    assert len(turns) >= len(asked)


async def test_what_a_poll_returns_is_bounded_from_then_on(place: Place) -> None:
    """The bound may change between two polls."""
    await place.produce(*numbered(20), partition=0)
    async with consumer(place, max_poll_records=500) as one:
        one.assign([TopicPartition(place.topic, 0)])
        for bound in (3, 5):
            aiokafka_private.take_at_most(one, bound)
            found = await in_time(one.getmany(timeout_ms=20_000), 25, what="records")
            assert sum(map(len, found.values())) == bound


async def test_a_poll_that_waits_takes_in_a_partition_it_was_not_asked_for_at_first(place: Place) -> None:
    """The set that it was given is looked at again when it is woken, long before its time is over."""
    first, second = TopicPartition(place.topic, 0), TopicPartition(place.topic, 1)
    await place.produce("there", partition=1)
    async with consumer(place) as one:
        one.assign([first, second])
        fetcher = one._fetcher  # noqa: SLF001 - what Faust calls
        asked = {first}
        polling = asyncio.create_task(fetcher.fetched_records(asked, 60.0, max_records=10))
        state = aiokafka_private.state_of
        await eventually(lambda: (known := state(one, second)) is not None and (known.lso or 0) > 0, within=20)
        asked.add(second)
        aiokafka_private.wake_polls(one)
        found = await in_time(polling, 20, what="the poll")
    assert [record.value for record in found[second]] == [b"there"]


async def test_a_partitions_state_says_how_far_it_is(place: Place) -> None:
    """Position and end; None of one that is not assigned, and while none is."""
    await place.produce(*numbered(3), partition=0)
    mine, other = TopicPartition(place.topic, 0), TopicPartition(place.topic, 1)
    async with consumer(place) as one:
        assert aiokafka_private.state_of(one, mine) is None
        one.assign([mine])
        await in_time(one.getone(), 20, what="a record")
        state = aiokafka_private.state_of(one, mine)
        assert (state.has_valid_position, state.position, state.lso) == (True, 1, 3)
        assert aiokafka_private.state_of(one, other) is None


async def test_what_waits_to_be_taken_is_known(place: Place) -> None:
    """From when it has been fetched until a poll has taken the last of it."""
    await place.produce(*numbered(2), partition=0)
    async with consumer(place) as one:
        assert aiokafka_private.all_taken(one)
        one.assign([TopicPartition(place.topic, 0)])
        await in_time(one.getmany(timeout_ms=20_000, max_records=1), 25, what="a record")
        assert not aiokafka_private.all_taken(one)
        await in_time(one.getmany(timeout_ms=20_000), 25, what="the last one")
        assert aiokafka_private.all_taken(one)


async def test_who_hangs_up_does_not_wait_for_what_is_held(place: Place) -> None:
    """A fetch held for a minute ends with its connection; the next one of the same group is answered."""
    client = AIOKafkaClient(bootstrap_servers=place.kafka)
    await client.bootstrap()
    try:
        node = client.get_random_node()

        async def fetch(wait_ms: int) -> Any:
            request = FetchRequest(wait_ms, 1, 1000, 0, [(place.topic, [(0, 0, 1000)])])
            return await client.send(node, request, group=2)

        held = asyncio.create_task(fetch(60_000))
        await eventually(lambda: client._conns.get((node, 2)) is not None, within=20)  # noqa: SLF001 - nothing else shows it
        held.cancel()
        await asyncio.gather(held, return_exceptions=True)
        aiokafka_private.hang_up(client, node, 2)
        await in_time(fetch(1), 30, what="the next fetch")
    finally:
        await client.close()


async def test_a_static_member_leaves_when_it_is_told_to(place: Place) -> None:
    """Its generation is the group's; after a stop alone it would stay, after this it is gone."""
    for leaves in (False, True):
        group = f"{place.group}{leaves}"
        async with group_admin(place.kafka) as admin:
            async with consumer(place, place.topic, group_id=group, group_instance_id="one") as one:
                await eventually(lambda: aiokafka_private.generation(one) > 0, within=20)
                if leaves:
                    await aiokafka_private.leave_group(one, within=5)
            assert await members(admin, group) == (0 if leaves else 1)


async def test_before_it_starts_it_is_of_no_generation(place: Place) -> None:
    """Who asks early is told so, and sees no error."""
    one = AIOKafkaConsumer(bootstrap_servers=place.kafka, group_id="g")
    try:
        assert aiokafka_private.generation(one) == -1
    finally:
        await one.stop()


async def test_topics_are_learned_of_at_once(place: Place) -> None:
    """Their partitions are known without asking for each."""
    other = f"{place.prefix}other"
    await place.create_topic(other, 2)
    async with consumer(place) as one:
        await aiokafka_private.learn_of(one, {place.topic, other})
        assert one.partitions_for_topic(other) == {0, 1}
        assert one.partitions_for_topic(place.topic) == {0, 1, 2, 3}


async def test_fausts_index_names_the_channel_of_each_partition(place: Place) -> None:
    """One for each partition of the agent's topic, and it is the agent's."""
    app = place.ours(Reader())
    async with running(app):
        index = channels_by_partition(app)
        assert {len(index[tp(place, partition)]) for partition in range(place.partitions)} == {1}
        (channel,) = index[tp(place, 0)]
        assert app.delivers_directly(channel)
