"""Answers as servers really send them, and as none should: what is read of them, and where reading ends."""

import pytest

from app.domain.errors import ActionFailedError
from app.ports import HttpAnswer, HttpClient, HttpRequest
from tests.support.raw_http import RawServer
from tests.support.waiting import limit


async def answered(client: HttpClient, server: RawServer, method: str = "POST", body_limit: int = 100) -> HttpAnswer:
    """What is made of the answer, at once."""
    request = HttpRequest(method, server.url, {}, b"{}" if method == "POST" else None)
    async with limit(20, what="the answer"):
        return await client.send(request, within=60, body_limit=body_limit)


@pytest.mark.parametrize(
    ("head", "headers"),
    [
        (b"X-A: one\r\nx-a: two", {"x-a": "two"}),
        (b"X-NAME: Zo\xc3\xab", {"x-name": "Zoë"}),
        (b"X-Name: Zo\xeb", {"x-name": "Zo\udceb"}),
        (b"X-Space:  \t a b \t ", {"x-space": "a b"}),
        (b"X-None:", {"x-none": ""}),
        (b"X-Folded: a\r\n b", {"x-folded": "a b"}),
        (b"X-Control: a\x01b", {"x-control": "a\x01b"}),
        (b"X-Long: " + b"a" * 8_000, {"x-long": "a" * 8_000}),
        (b"\r\n".join(b"X-%d: %d" % (n, n) for n in range(100)), {f"x-{n}": str(n) for n in range(100)}),
    ],
)
async def test_headers_are_read(client: HttpClient, server: RawServer, head: bytes, headers: dict[str, str]) -> None:
    """By their names in lower case, the last of several; odd bytes do no harm."""
    server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + head + b"\r\n\r\nok"
    answer = await answered(client, server)
    assert (answer.status, answer.body) == (200, "ok")
    assert headers.items() <= answer.headers.items()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "ok"),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "ok"),
        (b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2  \r\nok\r\n0\r\n\r\n", "ok"),
        (b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nX-A: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"),
        (b'HTTP/1.1 200 OK\r\nContent-Type: a/b; CHARSET="latin-1"\r\nContent-Length: 1\r\n\r\n\xe9', "é"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: a/b;x=charset\r\nContent-Length: 2\r\n\r\n\xc3\xa9", "é"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: a/b;charset=\r\nContent-Length: 2\r\n\r\n\xc3\xa9", "é"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: a/b;charset=hex\r\nContent-Length: 2\r\n\r\n\xc3\xa9", "é"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: a/b;charset=a\xffb\r\nContent-Length: 2\r\n\r\n\xc3\xa9", "é"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: a/b;charset*=x''u%FF\r\nContent-Length: 2\r\n\r\n\xc3\xa9", "é"),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n", ""),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 50\r\n\r\n", ""),
    ],
)  # fmt: skip
async def test_bodies_are_read(client: HttpClient, server: RawServer, answer: bytes, body: str) -> None:
    """However their heads are written, and whatever charset they name; headers of interim answers are not theirs."""
    server.answer = answer
    got = await answered(client, server)
    assert (got.body, "x-a" in got.headers) == (body, False)


async def test_headers_behind_the_body_are_none(client: HttpClient, server: RawServer) -> None:
    """A trailer cannot say Retry-After, nor where to go on."""
    server.answer = (
        b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\nok\r\n0\r\nRetry-After: 9\r\nLocation: /x\r\n\r\n"
    )
    answer = await answered(client, server)
    assert (answer.headers["retry-after"], "location" in answer.headers, answer.body) == ("7", False, "ok")


@pytest.mark.parametrize("rest", [b"X-A: " + b"a" * 2_000_000, b"X-A: 1\r\n" * 250_000])
async def test_what_stands_behind_the_body_has_an_end(client: HttpClient, server: RawServer, rest: bytes) -> None:
    """The answer is here; a trailer that does not end is left."""
    server.answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n" + rest
    answer = await answered(client, server)
    assert (answer.status, answer.body) == (200, "ok")


async def test_a_body_in_crumbs_is_read_whole(client: HttpClient, server: RawServer) -> None:
    """A chunk for every byte: six bytes each."""
    server.answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200_000 + b"0\r\n\r\n"
    answer = await answered(client, server, body_limit=200_000)
    assert answer.body == "x" * 200_000


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok", "a header with a null byte"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
            "Transfer-Encoding can't be present with Content-Length",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "Duplicate Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", "Invalid character in Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok", "Content-Length overflow"),
        (b"HTTP/1.1 200 OK\r\nX A: 1\r\n\r\n", "Invalid header token"),
        (b"HTTP/1.1 20x OK\r\n\r\n", "Invalid status code"),
        (b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", "a status that there is not"),
        (b"HTTP/9.9 200 OK\r\n\r\n", "Invalid HTTP version"),
        (b"200 OK\r\n\r\n", "Expected HTTP/"),
        (b"\0" * 100, "Expected HTTP/"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", "Expected HTTP/"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 20_000, "a head that does not end"),
    ],
)
async def test_what_is_no_http_is_no_answer(client: HttpClient, server: RawServer, answer: bytes, why: str) -> None:
    """It fails at once and says why; whether the request was carried out stays open (RFC 9112, 6.3: discard it)."""
    server.answer = answer
    with pytest.raises(ActionFailedError) as failure:
        await answered(client, server)
    assert (failure.value.effect_unknown, failure.value.permanent, failure.value.timed_out) == (True, False, False)
    assert str(failure.value).startswith(f"its answer is no HTTP that can be read: {why}")


@pytest.mark.parametrize("broken", [b"zz\r\nmore", b"2\r\nokmore than two"])
async def test_a_body_that_is_broken_is_cut(client: HttpClient, server: RawServer, broken: bytes) -> None:
    """The status is here, so it counts."""
    server.answer = b"HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" + broken
    answer = await answered(client, server)
    assert (answer.status, answer.body[:3]) == (201, "abc")


async def test_a_head_has_no_body(client: HttpClient, server: RawServer) -> None:
    """Whatever length its answer names."""
    server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"
    for _ in range(2):
        answer = await answered(client, server, "HEAD")
        assert (answer.status, answer.headers["content-length"], answer.body) == (200, "50", "")


async def test_half_a_head_is_no_answer(client: HttpClient, server: RawServer) -> None:
    """A server that hangs up in the middle of it may have carried the request out."""
    server.answer, server.then_close = b"HTTP/1.1 200 OK\r\nContent-Le", True
    with pytest.raises(ActionFailedError) as failure:
        await answered(client, server)
    assert str(failure.value) == "connection lost before the answer: ServerDisconnectedError"
    assert failure.value.effect_unknown
