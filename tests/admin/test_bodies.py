"""Bodies: how many bytes of them there may be at once, how fast they must come, and what they may be packed as."""

import asyncio
import gzip
import zlib
from contextlib import AsyncExitStack

import pytest

from app.admin.limits import KIB, MIB, BodyLimits
from tests.admin.conftest import Api, User, draft
from tests.admin.guarded import Served, served
from tests.support.raw_http import RawClient, raw_client
from tests.support.waiting import eventually

EVENT = b'{"specversion": "1.0", "id": "1", "source": "/s", "type": "order.paid", "subject": "c"}'
WHOLE = 8 * MIB
ALMOST_WHOLE = b" " * (WHOLE - 10)


def sender(api: Api) -> User:
    """Somebody who may send events."""
    return api.user("user", "events:write")


def bomb(size: int) -> bytes:
    """So many spaces, deflated by the megabyte: they are never in memory together."""
    packing = zlib.compressobj()
    return b"".join([*(packing.compress(b" " * MIB) for _ in range(size // MIB)), packing.flush()])


async def held_back(stack: AsyncExitStack, server: Served, user: User) -> RawClient:
    """Send a batch of 8 MB but for its last bytes."""
    client = await stack.enter_async_context(raw_client(server.url))
    await client.send(server.head(user, WHOLE))
    await client.send(ALMOST_WHOLE)
    return client


async def test_forty_requests_that_hold_back_their_end_take_what_one_caller_may(api: Api) -> None:
    """The seen case: 320 MB were kept for good. One caller has 16 MiB under way; the others are told to wait: 429."""
    user = sender(api)
    async with served(api) as server, AsyncExitStack() as stack:
        clients = await asyncio.gather(*(held_back(stack, server, user) for _ in range(40)))
        answers = [asyncio.create_task(client.answer()) for client in clients]
        await eventually(lambda: sum(answer.done() for answer in answers) >= 38, what="the others' answers")
        assert server.bodies.held <= 16 * MIB
        refused = [answer.result() for answer in answers if answer.done()]
        assert {status for status, _ in refused} == {429}
        assert b"16777216 bytes" in refused[0][1]
        for answer in answers:
            answer.cancel()
    await eventually(lambda: server.bodies.held == 0, what="what was broken off to be given back")


async def test_all_callers_together_take_what_the_process_may(api: Api) -> None:
    """Past it 503 with Retry-After, for whoever comes next; once the others are gone there is room again."""
    few = BodyLimits(most=100 * KIB, most_each=60 * KIB)
    async with served(api, bodies=few) as server:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                client = await stack.enter_async_context(raw_client(server.url))
                await client.send(server.head(sender(api), 60 * KIB) + b" " * 50 * KIB)
            await eventually(lambda: server.bodies.held == 100 * KIB, what="both bodies")
            async with raw_client(server.url) as third:
                await third.send(server.head(sender(api), len(EVENT), "Connection: close") + EVENT)
                answer = await third.rest()
                assert answer.startswith(b"HTTP/1.1 503 ")
                assert b"\r\nRetry-After: 5\r\n" in answer
        await eventually(lambda: server.bodies.held == 0, what="what was broken off to be given back")
        async with raw_client(server.url) as again:
            await again.send(server.head(sender(api), len(EVENT)) + EVENT)
            assert (await again.answer())[0] == 202
        assert server.bodies.held == 0


@pytest.mark.parametrize(
    ("bodies", "size"),
    [(BodyLimits(within=0.3, grace=0.1, rate=1), 100), (BodyLimits(grace=0.2), 100), (BodyLimits(grace=0.2), 200_000)],
)
async def test_a_body_that_does_not_come_is_408(api: Api, bodies: BodyLimits, size: int) -> None:
    """Not whole in time, not at the least rate: it is answered, given back, and the connection closed."""
    async with served(api, bodies=bodies) as server, raw_client(server.url) as client:
        await client.send(server.head(sender(api), size) + b" " * (size // 2000 + 1))
        answer = await client.rest()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in answer
        assert server.bodies.held == 0


async def test_nothing_is_read_of_a_body_before_its_caller_is_known(api: Api) -> None:
    """401 with the body still to come, and no 100 Continue for one who asks whether to send it."""
    async with served(api) as server:
        for more in ((), ("Expect: 100-continue",)):
            async with raw_client(server.url) as client:
                await client.send(server.head(None, WHOLE, *more))
                assert (await client.rest()).startswith(b"HTTP/1.1 401 ")
        async with raw_client(server.url) as client:
            await client.send(server.head(sender(api), len(EVENT), "Expect: 100-continue"))
            assert (await client.answer())[0] == 100
            await client.send(EVENT)
            assert (await client.answer())[0] == 202


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/v1/events", 8 * MIB),
        ("/api/v1/workflows", 256 * KIB),
        ("/api/v1/workflows/test", 512 * KIB),
        ("/api/v1/message-templates", MIB),
    ],
)
async def test_how_large_a_body_may_be_is_its_operations(api: Api, path: str, most: int) -> None:
    """413 says how many bytes it may have, as the OpenAPI document does; whether the length is told or not."""
    admin = api.user("admin")
    async with served(api) as server:
        async with raw_client(server.url) as client:
            await client.send(server.head(admin, most + 1, path=path))
            assert (await client.rest()).count(f"at most {most} bytes".encode()) == 1
        async with raw_client(server.url) as client:
            await client.send(server.head(admin, "Transfer-Encoding: chunked", path=path))
            await client.send(f"{most + 1:x}\r\n".encode() + b" " * (most + 1))
            assert (await client.rest()).startswith(b"HTTP/1.1 413 ")
        assert server.bodies.held == 0
    described = (await admin.call("GET", "/openapi.json")).json["paths"][path]["post"]["requestBody"]["description"]
    assert described == f"At most {most} bytes, unpacked"


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", gzip.compress(EVENT, mtime=0), 202),
        ("deflate", zlib.compress(EVENT), 202),
        ("identity", EVENT, 202),
        ("gzip", EVENT, 400),
        ("deflate", EVENT, 400),
        ("gzip", gzip.compress(EVENT, mtime=0)[:-20], 400),
        ("deflate", zlib.compress(EVENT)[:-9], 400),
        ("", gzip.compress(EVENT, mtime=0), 400),
        ("gzip", gzip.compress(b" " * (WHOLE + 1), mtime=0), 413),
        ("deflate", bomb(40 * WHOLE), 413),
        ("gzip", gzip.compress(EVENT, mtime=0) + b"x", 400),
        ("deflate", b"", 400),
        ("compress", EVENT, 415),
        ("br", EVENT, 415),
        ("zstd", EVENT, 415),
        ("gzip, gzip", gzip.compress(gzip.compress(EVENT, mtime=0), mtime=0), 415),
        ("x" * 100, EVENT, 415),
    ],
)
async def test_what_is_not_packed_as_it_says_is_the_callers_mistake(
    api: Api, encoding: str, body: bytes, status: int
) -> None:
    """No gzip, half of one, one that is not named, a bomb, or what is not read here: 4xx, at once, and it is over."""
    more = (f"Content-Encoding: {encoding}",) if encoding else ()
    async with served(api) as server, raw_client(server.url) as client:
        await client.send(server.head(sender(api), len(body), "Connection: close", *more))
        await client.send(body)
        answer = await client.rest()
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:300]
        assert server.bodies.held == 0


async def test_a_body_that_breaks_off_is_no_fault_of_ours(api: Api) -> None:
    """The caller hangs up half-way: what was held is given back, and nothing is logged as our own failure."""
    async with served(api) as server:
        async with raw_client(server.url) as client:
            await client.send(server.head(sender(api), 50_000) + b" " * 40_000)
            await eventually(lambda: server.bodies.held == 40_000, what="the first half")
        await eventually(lambda: server.bodies.held == 0, what="it to be given back")
    assert (await api.user().call("GET", "/metrics")).status == 200


async def test_a_document_that_is_large_but_allowed_is_taken(user: User) -> None:
    """256 KiB and not a byte less: spaces count as any other."""
    answer = await user.call("POST", "/api/v1/workflows", draft(description="x" * 100_000, name="a" * 100_000))
    assert answer.status == 400  # by the fields' own bounds, which name them
    assert {error["path"] for error in answer.json["errors"]} <= {"name", "description", ""}
