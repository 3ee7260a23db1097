"""A request's bytes: what the server is told, and what it is not."""

import gzip
from base64 import b64encode

import pytest

from app.adapters.http.client import open_http_client
from app.domain.errors import ActionFailedError
from app.ports import HttpClient, HttpRequest
from tests.support.deadlines import scaled
from tests.support.raw_http import RawServer, raw_server


async def told(client: HttpClient, server: RawServer, request: HttpRequest) -> list[bytes]:
    """The lines that a server gets."""
    await client.send(request, within=scaled(5), body_limit=100)
    return server.requests[-1].split(b"\r\n")


async def test_headers_arrive_as_they_are_spelt(client: HttpClient, server: RawServer) -> None:
    """Names keep their case, and values may be any text, in UTF-8; what is ours is replaced where the user names it."""
    headers = {"X-API-key": "a\tb", "webhook-id": "k", "X-Name": "Zoë 🛒", "user-AGENT": "Mine", "Empty": ""}
    lines = await told(client, server, HttpRequest("POST", server.url, headers, b"{}"))
    assert {b"X-API-key: a\tb", b"webhook-id: k", "X-Name: Zoë 🛒".encode(), b"user-AGENT: Mine", b"Empty: "} <= {
        *lines
    }
    assert not [line for line in lines if b"Headrace/" in line]


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("POST", b"{}", b"2"),
        ("POST", b"", b"0"),
        ("POST", None, b"0"),
        ("DELETE", None, b"0"),
        ("GET", None, None),
        ("get", None, None),
    ],
)
async def test_the_length_is_said(
    client: HttpClient, server: RawServer, method: str, body: bytes | None, length: bytes | None
) -> None:
    """Once, for every method that could have a body (RFC 9110, 8.6)."""
    lines = await told(client, server, HttpRequest(method, server.url, {}, body))
    said = [line.partition(b": ")[2] for line in lines if line.lower().startswith(b"content-length")]
    assert said == ([] if length is None else [length])
    assert lines[0].startswith(method.upper().encode())


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("", b"/"),
        ("?a=1", b"/?a=1"),
        ("/a b/ü?q=x y&z=%2F+", b"/a%20b/%C3%BC?q=x+y&z=/+"),
        ("/a%2Fb/../c#part", b"/c"),
        ("/%zz", b"/%25zz"),
    ],
)
async def test_paths_are_quoted(client: HttpClient, server: RawServer, path: str, line: bytes) -> None:
    """What may not stand in a request's first line is quoted, a fragment is not sent."""
    lines = await told(client, server, HttpRequest("POST", server.url + path, {}, b"{}"))
    assert lines[0].split(b" ")[1] == line


async def test_the_host_is_the_one_of_the_url() -> None:
    """With its port if that is not the usual one, whatever the address is that its name leads to."""

    async def here(_host: str, _port: int) -> tuple[str, ...]:
        return ("127.0.0.1",)

    async with raw_server("") as server, open_http_client(allow_private=True, resolve=here) as client:
        for host, named in (
            ("shop.example", b"shop.example"),
            ("SHOP.example.", b"shop.example"),
            ("bücher.example", b"xn--bcher-kva.example"),
            ("[::1]", b"[::1]"),
        ):
            lines = await told(client, server, HttpRequest("GET", f"http://{host}:{server.port}/"))
            assert lines[1] == b"Host: %b:%d" % (named, server.port)


async def test_credentials_in_the_url_are_sent_as_such(client: HttpClient, server: RawServer) -> None:
    """An administrator's CRM may be given with them; beside a header that says the same they are refused."""
    url = server.url.replace("//", "//me:pa%3Ass@")
    lines = await told(client, server, HttpRequest("GET", url))
    assert b"Authorization: Basic " + b64encode(b"me:pa:ss") in lines
    assert lines[0] == b"GET / HTTP/1.1"
    with pytest.raises(ActionFailedError) as failure:
        await told(client, server, HttpRequest("GET", url, {"authorization": "Bearer x"}))
    assert (failure.value.permanent, len(server.requests)) == (True, 1)


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\x1bb", "a\udcffb"])
async def test_no_header_breaks_out_of_its_line(client: HttpClient, server: RawServer, text: str) -> None:
    """Neither by its value nor by its name."""
    for headers in ({"X-A": text}, {text: "1"}):
        with pytest.raises(ActionFailedError) as failure:
            await told(client, server, HttpRequest("POST", server.url, headers, b"{}"))
        assert failure.value.permanent
    assert not server.connections


@pytest.mark.parametrize("name", ["Content-Length", "TRANSFER-ENCODING", "host"])
async def test_where_a_request_ends_and_whom_it_is_for_is_not_the_users_to_say(
    client: HttpClient, server: RawServer, name: str
) -> None:
    """A second length would make a second request of the body."""
    with pytest.raises(ActionFailedError) as failure:
        await told(client, server, HttpRequest("POST", server.url, {name: "1"}, b"{}"))
    assert failure.value.permanent
    assert not server.connections


async def test_what_a_server_wants_remembered_is_not(client: HttpClient, server: RawServer) -> None:
    """No cookie comes back, to whomever it would go."""
    server.answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nContent-Length: 0\r\n\r\n"
    for _ in range(2):
        lines = await told(client, server, HttpRequest("POST", server.url, {}, b"{}"))
    assert not [line for line in lines if line.lower().startswith(b"cookie")]


async def test_what_comes_packed_stays_packed(client: HttpClient, server: RawServer) -> None:
    """A few bytes cannot become gigabytes: nobody asked for them."""
    packed = gzip.compress(b"x" * 1000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    server.answer = head + packed
    answer = await client.send(HttpRequest("GET", server.url), within=scaled(5), body_limit=100)
    assert answer.body == packed.decode("utf-8", "replace")


async def test_a_proxy_of_the_environment_is_none_of_ours(
    client: HttpClient, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would connect to addresses that nobody has looked at."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    lines = await told(client, server, HttpRequest("POST", server.url, {}, b"{}"))
    assert lines[0] == b"POST / HTTP/1.1"
