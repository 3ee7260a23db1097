"""Server-sent events over real HTTP and a real log: who breaks off and comes back has each execution once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import pytest
from aiohttp.test_utils import TestClient, TestServer

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.execution_log import ExecutionLog
from app.adapters.postgres.pool import open_pool
from app.admin.auth import mint_token
from app.admin.open_streams import Streams
from app.admin.routes import build_app
from app.processes.admin_services import assemble
from app.settings import Settings
from tests.admin.conftest import Api, User
from tests.support.depths import MemoryDepths
from tests.support.executions import execution
from tests.support.logins import as_role
from tests.support.sender import MemorySender
from tests.support.waiting import in_time

PATH = "/api/v1/executions/stream"
FEED = "INSERT INTO execution_feed (ids, times, workflows) SELECT ARRAY[id], ARRAY[executed_at], ARRAY[automation_id]"


class Sink:
    """Writes executions as the sink does."""

    def __init__(self, log: ExecutionLog) -> None:
        self._log = log

    async def write(self, workflow: dict[str, Any], *changes: dict[str, Any]) -> list[str]:
        """Write executions in one batch; returns their ids."""
        made = [execution(workflow_id=workflow["id"], **one) for one in changes or ({},)]
        await self._log.write([orjson.dumps(one).decode() for one in made])
        return [one["execution_id"] for one in made]


@pytest.fixture
async def sink(api_database: str) -> AsyncIterator[Sink]:
    """A sink of the shared database."""
    settings = Settings(DATABASE_URL=as_role(api_database, DatabaseRole.SINK))
    async with open_pool(settings, DatabaseRole.SINK) as pool:
        yield Sink(ExecutionLog(pool))


class Events:
    """The events of an open stream.

    Attributes:
        last: The id of the last that was read.
    """

    def __init__(self, response: Any, last: str) -> None:
        self._response = response
        self.last = last

    async def next(self) -> tuple[str, Any]:
        """Wait for the next event and return its kind and data; heartbeats are passed over."""
        while True:
            block = await in_time(self._response.content.readuntil(b"\n\n"), 10, what="an event")
            if not block:
                raise EOFError
            fields = dict(line.split(": ", 1) for line in block.decode().strip().splitlines() if line[0] != ":")
            self.last = fields.get("id", self.last)
            if "data" in fields:
                return fields["event"], orjson.loads(fields["data"])

    async def ids(self, count: int) -> list[str]:
        """Wait for as many executions."""
        told = [await self.next() for _ in range(count)]
        assert {kind for kind, _ in told} == {"execution"}, told
        return [data["id"] for _, data in told]


@asynccontextmanager
async def following(user: User, last: str = "", path: str = PATH, **query: Any) -> AsyncIterator[Events]:
    """Open a stream, and read until it begins."""
    headers = {"Authorization": f"Bearer {user.token}"} | ({"Last-Event-ID": last} if last else {})
    async with user.client.get(path, params=query, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        assert await response.content.readuntil(b"\n\n") == b": open\n\n"
        yield Events(response, last)


async def missed(user: User, last: str, **query: Any) -> list[tuple[str, Any]]:
    """What a stream tells that ends when it has told what was missed."""
    answer = await user.call("GET", PATH, params={"seconds": "0", **query}, headers={"Last-Event-ID": last})
    assert answer.status == 200, answer
    blocks = [dict(line.split(": ", 1) for line in one.splitlines() if line[0] != ":") for one in blocks_of(answer)]
    return [(one["event"], orjson.loads(one["data"])) for one in blocks if "data" in one]


def blocks_of(answer: Any) -> list[str]:
    """The blocks of a stream's text."""
    return [one for one in answer.json.split("\n\n") if one]


async def begun(user: User) -> str:
    """The id of now."""
    answer = await user.call("GET", PATH, params={"seconds": "0"})
    return str(blocks_of(answer)[-1].split("id: ")[1])


async def test_executions_are_told_as_they_are_written(user: User, sink: Sink) -> None:
    """Each with what a list shows of it, in the order in which they came."""
    workflow = await user.create()
    async with following(user) as events:
        made = await sink.write(workflow, {}, {"status": "failed", "error": "no"})
        told = [await events.next() for _ in made]
        more = await sink.write(workflow)
        assert await events.ids(1) == more
    listed = (await user.call("GET", "/api/v1/executions")).json["items"]
    assert [kind for kind, _ in told] == ["execution", "execution"]
    assert [data["id"] for _, data in told] == made
    assert all(data in listed for _, data in told)


async def test_everybody_is_told_of_their_own(api: Api, user: User, admin: User, sink: Sink) -> None:
    """A user of their own workflows' executions, an administrator of all, whatever else is written."""
    mine, other = await user.create(), api.user()
    theirs = await other.create()
    async with following(user) as to_me, following(other) as to_them, following(admin) as to_all:
        first, second = await sink.write(mine), await sink.write(theirs)
        assert (await to_me.ids(1), await to_them.ids(1)) == (first, second)
        assert await to_all.ids(2) == first + second


@pytest.mark.parametrize(
    ("query", "change"),
    [
        ({"status": "failed,partial"}, {"status": "failed", "error": "x"}),
        ({"entity": "c-7"}, {"entity": "c-7"}),
        ({"search": "crm said"}, {"status": "failed", "error": "The CRM said no"}),
        ({"event_type": "order.x"}, {"event": {"id": "e", "type": "order.x", "source": "/s", "specversion": "1.0"}}),
    ],
)
async def test_a_stream_has_the_lists_filters(
    user: User, sink: Sink, query: dict[str, str], change: dict[str, Any]
) -> None:
    """What does not match is not told, and is not told later either."""
    workflow = await user.create()
    last = await begun(user)
    _, wanted = await sink.write(workflow, {}, change)
    assert [data["id"] for _, data in await missed(user, last, **query)] == [wanted]


async def test_from_every_id_a_stream_goes_on_without_loss_or_repetition(user: User, sink: Sink) -> None:
    """Broken off after any event: the rest comes, each once, also what was written meanwhile."""
    workflow = await user.create()
    places, told = [], []
    async with following(user) as events:
        made = [*await sink.write(workflow, {}, {}, {}), *await sink.write(workflow, {}, {})]
        for _ in made:
            told += await events.ids(1)
            places.append(events.last)
    made += await sink.write(workflow, {}, {})
    assert told == made[:5]
    for position, place in enumerate(places, start=1):
        assert [data["id"] for _, data in await missed(user, place)] == made[position:]


async def test_what_commits_out_of_order_is_told_once(user: User, sink: Sink, api_database: str) -> None:
    """A transaction that began before others and commits after them, while the stream goes on and breaks off."""
    workflow = await user.create()
    async with await psycopg.AsyncConnection.connect(api_database) as slow, following(user) as events:
        await slow.execute("SELECT pg_current_xact_id()")
        early = await sink.write(workflow)
        assert await events.ids(1) == early
        place = events.last
        row = str(uuid4())
        await slow.execute(
            "INSERT INTO automation_logs (id, automation_id, trigger_event, conditions_met, status, executed_at)"
            " SELECT %s, automation_id, trigger_event, true, 'success', executed_at FROM automation_logs WHERE id = %s",
            (row, early[0]),
        )
        await slow.execute(f"{FEED} FROM automation_logs WHERE id = %s".encode(), (row,))
        late = await sink.write(workflow)
        assert await events.ids(1) == late
        await slow.commit()
        assert await events.ids(1) == [row]
    assert sorted(data["id"] for _, data in await missed(user, place)) == sorted([row, *late])
    assert await missed(user, events.last) == []


@pytest.mark.parametrize("place", ["nonsense", "1~5:5:", "9999999999~9000000000000:9000000000001:"])
async def test_a_place_that_nobody_can_go_on_from_is_a_reset(user: User, place: str) -> None:
    """No id of ours, one of more than an hour ago, and one of another database: the list is to be loaded again."""
    assert [kind for kind, _ in await missed(user, place)] == ["reset"]


async def test_a_caller_has_a_number_of_streams(user: User, api: Api) -> None:
    """One more is refused; those that were closed count no more, so that as many can be opened again at once."""
    for _ in range(2):
        async with _all_open(user, api.settings.admin_streams_per_caller):
            refused = await user.call("GET", PATH)
            assert (refused.status, "Retry-After" in refused.headers) == (429, True)


async def test_a_stream_ends_when_its_token_does_not_hold_any_more(settings: Settings) -> None:
    """It is looked at with every heartbeat: who may not call any more is told nothing more either."""
    pool = ApiDatabase(settings)
    state = assemble(settings, pool, MemorySender(), MemoryDepths())
    app = build_app(replace(state, live=replace(state.live, streams=Streams(5, 5, heartbeat=0.1))))
    async with TestClient(TestServer(app)) as client:
        user = User(client, mint_token(settings, uuid4(), "user", 3, ()))
        async with following(user, seconds=60) as events:
            with pytest.raises(EOFError):
                await events.next()
    await pool.close()


@asynccontextmanager
async def _all_open(user: User, count: int) -> AsyncIterator[None]:
    if not count:
        yield
        return
    async with following(user, seconds=30), _all_open(user, count - 1):
        yield


async def test_the_queue_is_told_when_it_changes(user: User) -> None:
    """Whole, as `GET /queue` shows it; who comes back and has seen it is not told it again."""
    async with following(user, path="/api/v1/queue/stream") as events:
        kind, shown = await events.next()
        asked = (await user.call("GET", "/api/v1/queue")).json
        assert kind == "queue"
        assert {**shown, "as_of": "", "outbox_oldest_s": 0} == {**asked, "as_of": "", "outbox_oldest_s": 0}
        seen = events.last
    answer = await user.call("GET", "/api/v1/queue/stream", params={"seconds": "0"}, headers={"Last-Event-ID": seen})
    assert "event: queue" not in answer.json
