"""Connections that are kept for the next request: what goes over them, once, and when they are given up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Final

import pytest

from app.adapters.http.client import open_http_client
from app.domain.errors import ActionFailedError
from app.ports import HttpAnswer, HttpClient, HttpRequest
from tests.support.deadlines import scaled
from tests.support.lines import OK, Line, lines
from tests.support.waiting import eventually, in_time

POST: Final = HttpRequest("POST", "", {"Idempotency-Key": "k-1"}, b"{}")


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    """A client that may reach loopback."""
    async with open_http_client(allow_private=True) as opened:
        yield opened


async def sent(
    client: HttpClient, url: str, method: str = "POST", body: bytes | None = b"{}", within: float = 5
) -> HttpAnswer:
    """What is answered."""
    request = replace(POST, url=url, method=method, body=body)
    return await client.send(request, within=scaled(within), body_limit=100)


async def failing(client: HttpClient, url: str, method: str = "POST", within: float = 5) -> ActionFailedError:
    """What there is instead of an answer."""
    with pytest.raises(ActionFailedError) as failure:
        await sent(client, url, method, within=within)
    return failure.value


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_what_may_not_be_carried_out_twice_is_not_sent_twice(client: HttpClient, method: str) -> None:
    """A kept connection that ends once the request is read may have carried it out: nobody sends it again unasked."""

    async def part(line: Line) -> None:
        await line.answers()
        await line.request()

    async with lines(part) as served:
        await sent(client, served.url)
        failure = await failing(client, served.url, method)
    assert (len(served.requests), served.connections) == (2, 1)
    assert (failure.effect_unknown, failure.permanent, failure.timed_out) == (True, False, False)
    assert str(failure) == "connection lost before the answer: ServerDisconnectedError"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_what_may_be_carried_out_twice_is_sent_again_once(client: HttpClient, method: str) -> None:
    """RFC 9110, 9.2.2: the connection had ended, most likely; on another one the request has its one more chance."""

    async def part(line: Line) -> None:
        await line.answers()
        await line.request()

    async with lines(part) as served:
        await sent(client, served.url)
        assert (await sent(client, served.url, method)).status == 200
        assert (len(served.requests), served.connections) == (3, 2)


async def test_sent_again_in_vain_the_effect_stays_unknown(client: HttpClient) -> None:
    """The first time it may have been carried out, also if there is no second."""
    over = asyncio.Event()

    async def part(line: Line) -> None:
        await line.answers()
        await line.request()
        served_here.close()
        over.set()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await part(Line(0, reader, writer, served))
        writer.close()

    async with lines(part) as served:
        served_here = await asyncio.start_server(take, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{served_here.sockets[0].getsockname()[1]}/"
        await sent(client, url)
        failure = await failing(client, url, "PUT")
    assert over.is_set()
    assert (failure.effect_unknown, failure.permanent) == (True, False)


async def test_a_connection_that_has_ended_meanwhile_is_not_used(client: HttpClient) -> None:
    """The next request has one of its own, and is sent once."""

    async def part(line: Line) -> None:
        await line.answers()
        if line.number == 0:
            line.writer.write_eof()
            await line.ended()

    async with lines(part) as served:
        await sent(client, served.url)
        await eventually(lambda: served.over == 1)
        assert (await sent(client, served.url)).body == "ok"
        assert (len(served.requests), served.connections) == (2, 2)


@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        OK.replace(b"HTTP/1.1", b"HTTP/1.0"),
        OK + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        OK + b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n",
        OK + b"HT",
        OK + b"\0\0\0",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok and more",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nbytes of x",
    ],
)
async def test_a_connection_that_is_out_of_step_is_given_up(client: HttpClient, answer: bytes) -> None:
    """Whatever stands behind an answer is the next one's for nobody: the client hangs up."""

    async def part(line: Line) -> None:
        await line.answers(answer if line.number == 0 else OK)
        await line.ended()

    async with lines(part) as served:
        first = await sent(client, served.url)
        assert (first.status, first.body) in {(200, "ok"), (101, "")}
        second = await sent(client, served.url)
        assert (second.status, second.body, served.connections) == (200, "ok", 2)


@pytest.mark.parametrize(("size", "connections"), [(60_000, 1), (200_000, 2)])
async def test_only_a_little_of_a_long_answer_is_read_for_the_sake_of_its_connection(
    client: HttpClient, size: int, connections: int
) -> None:
    """What is behind the limit is thrown away: a new connection is cheaper than much of it."""

    async def part(line: Line) -> None:
        while await line.request():
            await line.says(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)

    async with lines(part) as served:
        for _ in range(2):
            assert (await sent(client, served.url)).body == "x" * 100
        assert served.connections == connections


async def test_who_answers_before_all_is_sent_is_not_asked_again(client: HttpClient) -> None:
    """The rest of the body would be taken for the next request."""

    async def part(line: Line) -> None:
        if line.number == 0:
            await line.reader.readuntil(b"\r\n\r\n")
            await line.says(OK)
        else:
            await line.answers()
        await line.ended()

    async with lines(part) as served:
        answer = await sent(client, served.url, body=b"x" * 20_000_000)
        assert (answer.status, (await sent(client, served.url)).status, served.connections) == (200, 200, 2)


async def test_who_gives_up_hangs_up() -> None:
    """A request that is cancelled leaves neither its connection nor its answer to the next one."""
    taken = asyncio.Event()

    async def part(line: Line) -> None:
        if line.number == 0:
            await line.request()
            taken.set()
        else:
            await line.answers()
        await line.ended()

    before = asyncio.all_tasks()
    async with lines(part) as served, open_http_client(allow_private=True) as client:
        asking = asyncio.create_task(sent(client, served.url, within=600))
        await in_time(taken.wait(), 5, what="the request")
        asking.cancel()
        await asyncio.wait({asking})
        await eventually(lambda: served.over == 1)
        assert (asking.cancelled(), (await sent(client, served.url)).body, served.connections) == (True, "ok", 2)
    await eventually(lambda: asyncio.all_tasks() <= before)


async def test_who_gives_up_while_connecting_leaves_nothing() -> None:
    """Neither a task nor a connection."""
    asked = asyncio.Event()

    async def never(_host: str, _port: int) -> tuple[str, ...]:
        asked.set()
        await asyncio.Event().wait()
        return ()

    before = asyncio.all_tasks()
    async with open_http_client(allow_private=True, resolve=never) as client:
        asking = asyncio.create_task(sent(client, "http://shop.example/", within=600))
        await in_time(asked.wait(), 5, what="the name to be asked for")
        asking.cancel()
        await asyncio.wait({asking})
    await eventually(lambda: asyncio.all_tasks() <= before)
    assert asking.cancelled()


async def test_512_at_once_have_a_connection_each_and_keep_it(client: HttpClient) -> None:
    """As many as an executor takes records at once: none waits for another, and the next 512 connect no more."""
    everybody = asyncio.Event()

    async def part(line: Line) -> None:
        while await line.request():
            if len(served.requests) == 512:
                everybody.set()
            await everybody.wait()
            await line.says(OK)

    async with lines(part, backlog=1024) as served:
        for _ in range(2):
            answers = await asyncio.gather(*(sent(client, served.url) for _ in range(512)))
            assert {answer.status for answer in answers} == {200}
        assert (served.connections, len(served.requests)) == (512, 1024)


async def test_at_the_end_everybody_is_hung_up_on() -> None:
    """Also on who has not answered yet."""

    async def part(line: Line) -> None:
        await line.answers()
        await line.request()
        await line.ended()

    async with lines(part) as served:
        async with open_http_client(allow_private=True) as client:
            await sent(client, served.url)
            asking = asyncio.create_task(failing(client, served.url, within=600))
            await eventually(lambda: len(served.requests) == 2)
        assert (await in_time(asking, 10, what="to be told")).effect_unknown
        await eventually(lambda: served.over == 1)


@pytest.mark.parametrize("odd", [str.upper, str.lower, str.title])
async def test_an_origin_is_one_however_it_is_spelt(client: HttpClient, odd: Callable[[str], str]) -> None:
    """Its requests share a connection."""

    async def part(line: Line) -> None:
        while await line.request():
            await line.says(OK)

    async with lines(part) as served:
        for host in ("localhost", odd("localhost")):
            await sent(client, f"http://{host}:{served.port}/{host}")
        assert (served.connections, len(served.requests)) == (1, 2)
