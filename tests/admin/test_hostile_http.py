"""HTTP that no proper client would send: each is refused at once; none is 500, none hangs, none is logged as ours."""

import json
import logging
from collections.abc import Iterator
from itertools import product

import pytest

from tests.admin.conftest import Api
from tests.admin.guarded import Served, served
from tests.support.raw_http import raw_client

EVENTS = "/api/v1/events"
REFUSED = range(400, 500)


def request(line: str, *headers: str, body: bytes = b"", host: str = "Host: x") -> bytes:
    """Return a request that asks for the connection to be closed."""
    return "\r\n".join([line, host, "Connection: close", *headers, "", ""]).encode("utf-8", "surrogateescape") + body


JSON = "Content-Type: application/json"
HOSTILE = {
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "no method": b" / HTTP/1.1\r\nHost: x\r\n\r\n",
    "another version": request("GET /healthz HTTP/9.9"),
    "an endless method": request("G" * 100_000 + " / HTTP/1.1"),
    "an endless path": request("GET /" + "a" * 100_000 + " HTTP/1.1"),
    "an endless header": request("GET /healthz HTTP/1.1", "X: " + "a" * 100_000),
    "a header without a name": request("GET /healthz HTTP/1.1", ": x"),
    "a header with a space": request("GET /healthz HTTP/1.1", "X Y: x"),
    "a header with a NUL": request("GET /healthz HTTP/1.1", "X: a\0b"),
    "two thousand headers": request("GET /healthz HTTP/1.1", *(f"X{number}: x" for number in range(2000))),
    "two lengths": request(f"POST {EVENTS} HTTP/1.1", "Content-Length: 1", "Content-Length: 2", body=b"{}"),
    "a length below zero": request(f"POST {EVENTS} HTTP/1.1", "Content-Length: -1", body=b"{}"),
    "a length of words": request(f"POST {EVENTS} HTTP/1.1", "Content-Length: many", body=b"{}"),
    "length and chunks": request(
        f"POST {EVENTS} HTTP/1.1", "Content-Length: 2", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"
    ),
    "another transfer encoding": request(f"POST {EVENTS} HTTP/1.1", "Transfer-Encoding: gzip", body=b"{}"),
    "the proxy's method": request("CONNECT example.org:443 HTTP/1.1"),
    "another site's URL": request("GET http://example.org/nothing HTTP/1.1"),
    "a NUL in the path": request("GET /api/v1/workflows/%00 HTTP/1.1"),
    "a raw NUL in the path": request("GET /api/\0 HTTP/1.1"),
    "broken percents": request("GET /api/v1/workflows/%zz%f HTTP/1.1"),
    "no UTF-8 in percents": request("GET /api/v1/workflows/%ff%fe HTTP/1.1"),
    "no UTF-8 in the query": request("GET /api/v1/workflows?search=%ff%00 HTTP/1.1"),
    "a path of dots": request("GET /api/../../etc/passwd HTTP/1.1"),
    "something else expected": request(f"POST {EVENTS} HTTP/1.1", "Expect: the unexpected", "Content-Length: 2"),
    "nothing that is expected": request(f"POST {EVENTS} HTTP/1.1", "Expect: s3cr3t", "Content-Length: 2", body=b"{}"),
    "a method of its own": request("S3CR3T /healthz HTTP/1.1"),
    "a method that is no word": request("S3CR3T\x7f /healthz HTTP/1.1"),
    "no host": b"GET /healthz?s3cr3t HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": request("GET /healthz?s3cr3t HTTP/1.1", "Host: s3cr3t"),
    "a header of 9 kB": request("GET /healthz HTTP/1.1", "X: " + "s3cr3t" * 1500),
    "a line of 9 kB": request("GET /" + "s3cr3t" * 1500 + " HTTP/1.1"),
    "an upgrade": request("GET /nothing HTTP/1.1", "Upgrade: websocket"),
    "HTTP/1.0": request(f"POST {EVENTS} HTTP/1.0", "Content-Length: 2", body=b"{}"),
    "a key that is no UTF-8": request(f"POST {EVENTS} HTTP/1.1", "Idempotency-Key: \udcff", "Content-Length: 0"),
    "a token that is no UTF-8": request("GET /api/v1/workflows HTTP/1.1", "Authorization: Bearer \udcff\udcfe"),
    "a body for a GET": request("GET /nothing HTTP/1.1", "Content-Length: 2", body=b"{}"),
}


async def answer_to(server: Served, sent: bytes) -> bytes:
    """Send, and return the answer, which comes before the connection is closed."""
    async with raw_client(server.url) as client:
        await client.send(sent)
        answer = await client.rest()
    assert answer.startswith(b"HTTP/1."), answer[:200]
    return answer


async def status_of(server: Served, sent: bytes) -> int:
    """Send, and return the status of the answer."""
    return int((await answer_to(server, sent)).split(b" ", 2)[1])


def assert_in_our_words(answer: bytes) -> None:
    """A problem document under our name, which repeats nothing of the request."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nContent-Type: application/problem+json" in head
    assert head.count(b"\r\nServer: headrace") == head.count(b"\r\nServer:") == 1
    assert json.loads(body)["status"] == int(head.split(b" ", 2)[1]) in REFUSED
    assert not [word for word in (b"aiohttp", b"s3cr3t", b"S3CR3T") if word in answer]


@pytest.mark.parametrize("sent", HOSTILE.values(), ids=HOSTILE)
async def test_it_is_refused(api: Api, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A 4xx, always a problem document, whether it gets as far as the API or not; the next is served; no traceback."""
    async with served(api) as server:
        with caplog.at_level(logging.INFO):
            answer = await answer_to(server, sent)
        assert await status_of(server, request("GET /healthz HTTP/1.1")) == 200
    assert int(answer.split(b" ", 2)[1]) in REFUSED
    assert_in_our_words(answer)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


CHUNKED = {
    "a size that is none": b"zz\r\n{}\r\n0\r\n\r\n",
    "a size below zero": b"-1\r\n{}\r\n",
    "an endless size": b"f" * 100 + b"\r\n",
    "a size that is not kept": b"1\r\n{}\r\n0\r\n\r\n",
    "an endless extension": b"2;" + b"x" * 100_000 + b"\r\n{}\r\n0\r\n\r\n",
    "endless trailers": b"2\r\n{}\r\n0\r\n" + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize(("sent", "apart"), list(product(CHUNKED.values(), [True, False])))
async def test_chunks_that_are_none_are_refused(api: Api, sent: bytes, *, apart: bool) -> None:
    """At once, with the headers or after them; nobody waits for the time a body may take."""
    async with served(api) as server, raw_client(server.url) as client:
        head = server.head(api.user("admin"), "Transfer-Encoding: chunked", "Connection: close")
        await client.send(head + (b"" if apart else sent))
        if apart:
            await client.send(sent)
        answer = await client.rest()
        assert_in_our_words(answer)
        assert server.bodies.held == 0


@pytest.mark.parametrize("sent", [b"5\r\n{", b"1\r\n{\r\n", b""])
async def test_a_body_that_ends_too_early_is_over(api: Api, sent: bytes) -> None:
    """The caller will send no more and says so: no waiting, and nothing is held for it."""
    async with served(api) as server, raw_client(server.url) as client:
        await client.send(server.head(api.user("admin"), "Transfer-Encoding: chunked") + sent)
        client.writer.write_eof()
        await client.rest()
        assert server.bodies.held == 0


async def test_requests_sent_ahead_are_answered_in_turn(api: Api) -> None:
    """A hundred at once over one connection; what follows a refusal is answered as well."""
    async with served(api) as server, raw_client(server.url) as client:
        one, none = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
        await client.send((one + none) * 50)
        assert [(await client.answer())[0] for _ in range(100)] == [200, 404] * 50


async def test_a_missing_host_or_an_absolute_url_is_served(api: Api) -> None:
    """HTTP/1.0 needs no Host, and proxies may write the whole URL (RFC 9112, 3.2.2)."""
    async with served(api) as server:
        for line in ("GET /healthz HTTP/1.0", "GET http://x/healthz HTTP/1.1"):
            assert await status_of(server, request(line)) == 200


def mutations(valid: bytes) -> Iterator[bytes]:
    """Yield a request with one byte left out, doubled or replaced, at places all over it."""
    for place in range(0, len(valid), 3):
        yield valid[:place] + valid[place + 1 :]
        yield valid[:place] + valid[place : place + 1] * 2 + valid[place + 1 :]
        for byte in (b"\0", b"\r", b"\n", b"%", b"\xff", b" ", b":"):
            yield valid[:place] + byte + valid[place + 1 :]


async def test_no_byte_out_of_place_is_our_fault(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of requests with one byte wrong: none is 500, none hangs, none is logged as ours."""
    valid = request(
        f"POST {EVENTS}?a=%20 HTTP/1.1", JSON, "Content-Length: 2", "Authorization: Bearer x.y.z", body=b"{}"
    )
    statuses = set()
    async with served(api) as server:
        for sent in mutations(valid):
            async with raw_client(server.url) as client:
                await client.send(sent)
                client.writer.write_eof()
                answer = await client.rest()
                statuses.add(int(answer.split(b" ", 2)[1]) if answer else 0)
    assert statuses <= {0, *REFUSED}
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
