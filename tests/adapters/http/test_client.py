"""What only the real HTTP client can show: connections, the guard, answers that break off."""

import asyncio
import socket

import pytest

from app.adapters.http.client import open_http_client
from app.domain.errors import ActionFailedError
from app.embedded.mail import Mailbox
from app.ports import HttpClient, HttpRequest
from tests.support.deadlines import scaled
from tests.support.raw_http import RawServer
from tests.support.waiting import limit


def _post(url: str) -> HttpRequest:
    return HttpRequest("POST", url, {}, b"{}")


async def _fails(client: HttpClient, url: str, within: float | None = None) -> ActionFailedError:
    with pytest.raises(ActionFailedError) as failure:
        await client.send(_post(url), within=within or scaled(5), body_limit=100)
    return failure.value


async def test_requests_share_a_connection(client: HttpClient, server: RawServer) -> None:
    """Requests one after the other use one connection, also after an answer longer than the limit."""
    server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000
    for _ in range(3):
        await client.send(_post(server.url), within=scaled(5), body_limit=100)
    assert (server.connections, len(server.requests)) == (1, 3)


async def test_an_endless_answer_is_not_read_on(client: HttpClient, server: RawServer) -> None:
    """Of an answer of many megabytes the beginning is kept and the connection dropped, long before the time is up."""
    server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 1_000_000
    async with limit(20, what="the answer's beginning"):
        answer = await client.send(_post(server.url), within=60, body_limit=100)
    assert (answer.status, len(answer.body)) == (200, 100)


async def test_an_answer_counts_once_its_status_is_here(client: HttpClient, server: RawServer) -> None:
    """A body that stalls or breaks off does not turn a success into an unknown."""
    server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"
    stalled = await client.send(_post(server.url), within=0.3, body_limit=100)
    server.then_close = True
    broken = await client.send(_post(server.url), within=scaled(5), body_limit=100)
    assert (stalled.body, broken.body) == ("half", "half")


async def test_a_lost_connection_leaves_the_effect_unknown(client: HttpClient, server: RawServer) -> None:
    """A server that takes the request and hangs up may have carried it out; so may one that answers nonsense."""
    server.then_close = True
    server.answer = b""
    lost = await _fails(client, server.url)
    server.answer = b"SMTP ready\r\n\r\n"
    nonsense = await _fails(client, server.url)
    assert (lost.effect_unknown, lost.permanent) == (True, False)
    assert (nonsense.effect_unknown, nonsense.permanent) == (True, False)


async def test_a_refused_connection_has_no_effect(client: HttpClient) -> None:
    """Where nobody listens, nothing happened: trying again is safe, and the text says where."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        failure = await _fails(client, f"http://127.0.0.1:{port}/")
    assert (failure.effect_unknown, failure.permanent) == (False, False)
    assert f"127.0.0.1:{port}" in str(failure)


async def test_a_name_that_does_not_resolve_has_no_effect(client: HttpClient) -> None:
    """DNS failures may pass: trying again is safe."""
    failure = await _fails(client, "http://no-such-host.invalid/")
    assert (failure.effect_unknown, failure.permanent) == (False, False)


async def test_a_connection_that_is_never_made_has_no_effect(client: HttpClient) -> None:
    """A listener whose queue is full never takes the connection: certainly nothing was carried out."""
    loop = asyncio.get_running_loop()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
        tasks = [asyncio.ensure_future(loop.sock_connect(filler, address)) for filler in fillers]
        await asyncio.wait(tasks, timeout=scaled(0.2))
        failure = await _fails(client, f"http://127.0.0.1:{address[1]}/", within=0.5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for filler in fillers:
            filler.close()
    assert (failure.effect_unknown, failure.permanent) == (False, False)
    assert "no connection" in str(failure)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
async def test_the_guard_looks_at_the_resolved_address(server: RawServer, host: str) -> None:
    """Loopback is refused by name and by number, permanently and without a single connection."""
    async with open_http_client(allow_private=False) as guarded:
        failure = await _fails(guarded, f"http://{host}:{server.port}/")
    assert failure.permanent
    assert "private" in str(failure)
    assert server.connections == 0


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "0"])
async def test_odd_spellings_of_loopback_get_nowhere(server: RawServer, host: str) -> None:
    """Decimal, octal, hexadecimal and short addresses fail permanently, whoever refuses them first."""
    async with open_http_client(allow_private=False) as guarded:
        failure = await _fails(guarded, f"http://{host}:{server.port}/")
    assert failure.permanent
    assert server.connections == 0


async def test_it_says_who_it_is_and_asks_for_no_compression(client: HttpClient, server: RawServer) -> None:
    """Requests carry our User-Agent, identity encoding, no Content-Type that nobody chose."""
    await client.send(HttpRequest("GET", server.url), within=scaled(5), body_limit=100)
    head = server.requests[0].decode().lower()
    assert "user-agent: headrace/" in head
    assert "accept-encoding: identity" in head
    assert "content-type" not in head


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n",
            "abcde",
        ),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=latin-1\r\nContent-Length: 1\r\n\r\n\xe9", "é"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=zip\r\nContent-Length: 1\r\n\r\n\xe9", "\ufffd"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=idna\r\nContent-Length: 1\r\n\r\n\xe9", "\ufffd"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", ""),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"),
    ],
)
async def test_every_framing_of_an_answer_is_read(
    client: HttpClient, server: RawServer, answer: bytes, body: str
) -> None:
    """Chunks, interim answers, charsets, HTTP/1.0: the final status and the whole body come back, twice in a row."""
    server.answer = answer
    server.then_close = answer.startswith(b"HTTP/1.0")
    for _ in range(2):
        got = await client.send(_post(server.url), within=scaled(5), body_limit=100)
        assert (got.status // 100, got.body) == (2, body)


async def test_an_answer_without_a_length_ends_with_its_connection(client: HttpClient, server: RawServer) -> None:
    """What is framed by hanging up is read to there."""
    server.answer, server.then_close = b"HTTP/1.1 200 OK\r\n\r\nall of it", True
    answer = await client.send(_post(server.url), within=scaled(5), body_limit=100)
    assert answer.body == "all of it"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 9_000,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 999999 OK\r\n\r\n",
    ],
)
async def test_headers_that_are_broken_or_do_not_end_are_no_answer(
    client: HttpClient, server: RawServer, answer: bytes
) -> None:
    """Floods and nonsense in place of headers fail at once, as an unknown effect."""
    server.answer = answer
    failure = await _fails(client, server.url)
    assert (failure.effect_unknown, failure.permanent) == (True, False)


async def test_tls_that_fails_had_no_effect(client: HttpClient, mailbox: Mailbox) -> None:
    """Where TLS does not come about nothing was sent, so trying again is safe."""
    failure = await _fails(client, f"https://127.0.0.1:{mailbox.smtp_port}/", within=scaled(2))
    assert (failure.effect_unknown, failure.permanent) == (False, False)
    assert "no connection" in str(failure)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {"X-A": "1\r\nX-Evil: 2"}),
        ("POST", {"X\nY": "1"}),
        ("POST / HTTP/1.1\r\nX: 1\r\n\r\nGET", {}),
    ],
)
async def test_nothing_can_be_smuggled_into_a_request(
    client: HttpClient, server: RawServer, method: str, headers: dict[str, str]
) -> None:
    """Line breaks in a method or a header are refused before anything is sent."""
    with pytest.raises(ActionFailedError) as failure:
        await client.send(HttpRequest(method, server.url, headers), within=scaled(1), body_limit=100)
    assert failure.value.permanent
    assert not server.requests


@pytest.mark.parametrize("url", ["http://a.example:99999/", "http:///path", "not a url"])
async def test_what_is_no_url_is_refused(client: HttpClient, url: str) -> None:
    """A URL that no request can be made of fails for good."""
    assert (await _fails(client, url, within=scaled(1))).permanent
