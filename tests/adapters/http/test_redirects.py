"""Redirects: who gets what on the way, and where the way ends."""

import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from ipaddress import ip_network
from typing import Final

import pytest

from app.adapters.http.client import open_http_client
from app.adapters.http.redirects import next_hop
from app.domain.errors import ActionFailedError
from app.ports import HttpAnswer, HttpClient, HttpRequest
from tests.support.deadlines import scaled
from tests.support.raw_http import RawServer, raw_server

HEADERS: Final = {
    "Idempotency-Key": "k-1",
    "Headrace-Causation": "w/e",
    "Content-Type": "application/json",
    "Authorization": "Bearer canary",
    "X-Shop": "canary",
    "webhook-id": "k-1",
    "webhook-timestamp": "1",
    "webhook-signature": "v1,canary",
}
POST: Final = HttpRequest("POST", "https://a.example/hook?x=1", HEADERS, b"{}", redirects=3)


def hop(location: str, status: int = 307, request: HttpRequest = POST) -> HttpRequest:
    """The request after an answer."""
    return next_hop(request, HttpAnswer(status, {"location": location}, ""))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
def test_method_and_body_are_repeated(status: int, method: str) -> None:
    """RFC 9110, 15.4: 307 and 308 must; 301 and 302 may, and a delivery must not turn into an empty GET."""
    after = hop("/elsewhere", status, replace(POST, method=method))
    assert (after.method, after.body, after.headers) == (method, b"{}", HEADERS)
    assert (after.url, after.redirects) == ("https://a.example/elsewhere", 2)


@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
def test_303_is_followed_with_a_get(method: str) -> None:
    """Without the body, and without what describes or signs it."""
    after = hop("/result", 303, replace(POST, method=method))
    assert (after.method, after.body) == ("GET", None)
    assert after.headers.keys() == {"Idempotency-Key", "Headrace-Causation", "Authorization", "X-Shop"}


@pytest.mark.parametrize(
    "location",
    [
        "https://b.example/hook",
        "//b.example/hook",
        "https://a.example:8443/hook",
        "https://a.example.b.example/hook",
        "https://a.example./hook",
        "https://sub.a.example/hook",
    ],
)
def test_nothing_that_proves_who_sends_goes_to_another_origin(location: str) -> None:
    """Host, port and scheme make an origin; what is left says which command it is."""
    after = hop(location)
    assert after.headers.keys() == {"Idempotency-Key", "Headrace-Causation", "Content-Type"}
    assert "canary" not in str(after)
    back = hop("https://a.example/hook", request=after)
    assert "canary" not in str(back)


@pytest.mark.parametrize(
    "location", ["/b", "b", "?y=2", "https://a.example/b", "https://A.EXAMPLE:443/b", "//a.example/b"]
)
def test_the_same_origin_is_known_in_every_spelling(location: str) -> None:
    """Relative addresses, capitals and the default port stay with the user's headers."""
    assert hop(location).headers == HEADERS


def test_a_secret_in_the_body_does_not_leave_its_origin() -> None:
    """It is repeated within the origin, dropped with the body on 303, and refused elsewhere."""
    secret = replace(POST, body_is_secret=True)
    assert hop("/b", request=secret).body == b"{}"
    assert hop("https://b.example/", 303, secret).body is None
    with pytest.raises(ActionFailedError, match="must not get the secret in the body") as failure:
        hop("https://b.example/", request=secret)
    assert failure.value.permanent


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("location", ["https://b.example/", "https://a.example:8443/", "https://sub.a.example/"])
def test_a_secret_in_the_body_leaves_its_origin_by_no_redirect(status: int, location: str) -> None:
    """Another port of the same host is another origin."""
    with pytest.raises(ActionFailedError, match="must not get the secret in the body"):
        hop(location, status, replace(POST, body_is_secret=True))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_secret_goes_to_no_host_that_it_may_not_be_sent_to(status: int) -> None:
    """Neither by the method that repeats the body nor by the one that does not, and not to a part of such a host."""
    granted = replace(POST, body=None, hosts={"TOKEN": ("a.example", "*.shop.example")})
    for location in ("https://b.example/", "https://sub.a.example/", "//a.example.b.example/", "https://shop.example/"):
        with pytest.raises(ActionFailedError, match=r"a host that secrets\.TOKEN may not be sent to") as failure:
            hop(location, status, granted)
        assert failure.value.permanent
    assert hop("https://eu.shop.example/", status, granted).url == "https://eu.shop.example/"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["https://b.example/", "/b", "?b=1", "//b.example"])
def test_the_query_is_not_repeated(status: int, location: str) -> None:
    """A secret in it stays with the request that it was put into, and so does the address, as a referrer."""
    url = "https://a.example/canary/hook?key=canary"
    after = hop(location, status, replace(POST, url=url, headers={"X-Key": "canary"}))
    assert "canary" not in after.url.replace("https://a.example/canary/hook?b=1", "")
    assert "referer" not in {name.lower() for name in after.headers}


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("", "without a Location"),
        ("http://a.example/hook", "from https to http"),
        ("http://b.example/hook", "from https to http"),
        ("ftp://a.example/", "no plain http or https"),
        ("file:///etc/passwd", "no plain http or https"),
        ("gopher://127.0.0.1:6379/_FLUSHALL", "no plain http or https"),
        ("javascript:alert(1)", "no plain http or https"),
        ("https://:443/", "no plain http or https"),
        ("https://user:word@b.example/", "no plain http or https"),
        ("https://a.example@b.example/", "no plain http or https"),
        ("https://b.example:99999/", "no URL"),
        ("https://[::1/", "no URL"),
        ("https://b.example/" + "a" * 5000, "endless"),
    ],
)
def test_what_leads_astray_is_refused(location: str, why: str) -> None:
    """For good, with the reason."""
    with pytest.raises(ActionFailedError, match=why) as failure:
        hop(location)
    assert failure.value.permanent


def answer(status: int, location: str = "", body: bytes = b"") -> bytes:
    """An answer, byte for byte."""
    head = f"Location: {location}\r\n" if location else ""
    return f"HTTP/1.1 {status} Word\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    """A client that may reach loopback."""
    async with open_http_client(allow_private=True) as opened:
        yield opened


@pytest.fixture
async def two() -> AsyncIterator[tuple[RawServer, RawServer]]:
    """Two servers, which are two origins."""
    async with raw_server() as first, raw_server() as second:
        yield first, second


def to(server: RawServer, **more: object) -> HttpRequest:
    """A POST with everything that could leak."""
    return replace(POST, url=f"{server.url}/hook", **more)  # type: ignore[arg-type]


async def test_over_tcp_the_next_origin_gets_the_body_and_no_credentials(
    client: HttpClient, two: tuple[RawServer, RawServer]
) -> None:
    """The answer of the last hop is the answer."""
    first, second = two
    first.answer, second.answer = answer(307, f"{second.url}/there"), answer(200, body=b"done")
    got = await client.send(to(first), within=scaled(5), body_limit=100)
    assert (got.status, got.body) == (200, "done")
    assert b"Bearer canary" in first.requests[0]
    (request,) = second.requests
    assert request.startswith(b"POST /there HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n{}")
    assert b"canary" not in request
    assert b"Idempotency-Key: k-1" in request


@pytest.mark.parametrize("status", [307, 308])
async def test_over_tcp_another_port_gets_nothing_of_a_body_with_a_secret(
    client: HttpClient, two: tuple[RawServer, RawServer], status: int
) -> None:
    """The second server has the first one's address, and sees no connection at all."""
    first, second = two
    first.answer = answer(status, f"{second.url}/there")
    with pytest.raises(ActionFailedError, match="must not get the secret in the body"):
        await client.send(to(first, body_is_secret=True), within=scaled(5), body_limit=100)
    assert (len(first.requests), second.connections) == (1, 0)


@pytest.mark.parametrize(("allowed", "requests"), [(0, 1), (1, 2), (3, 4)])
async def test_a_circle_ends(client: HttpClient, two: tuple[RawServer, RawServer], allowed: int, requests: int) -> None:
    """After so many redirects the next one is the answer; none is followed where that is switched off."""
    first, _ = two
    first.answer = answer(302, "/hook")
    got = await client.send(to(first, redirects=allowed), within=scaled(5), body_limit=100)
    assert (got.status, len(first.requests)) == (302, requests)


async def test_the_time_is_for_all_hops_together(client: HttpClient, two: tuple[RawServer, RawServer]) -> None:
    """A redirect to a host that never answers ends with the attempt's time, as an unknown effect."""
    first, second = two
    first.answer, second.answer = answer(308, second.url), None
    with pytest.raises(ActionFailedError, match="no answer within") as failure:
        await client.send(to(first), within=0.4, body_limit=100)
    assert failure.value.effect_unknown


@pytest.mark.parametrize(("status", "unknown"), [(307, False), (303, True)])
async def test_after_303_the_effect_may_have_happened(
    client: HttpClient,
    two: tuple[RawServer, RawServer],
    status: int,
    unknown: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """The first host has carried it out and tells where to look; after 307 nobody has, and trying again is safe."""
    first, _ = two
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        first.answer = answer(status, f"http://127.0.0.1:{deaf.getsockname()[1]}/")
        with pytest.raises(ActionFailedError, match="no connection") as failure:
            await client.send(to(first), within=scaled(5), body_limit=100)
    assert (failure.value.effect_unknown, failure.value.permanent) == (unknown, False)


@pytest.mark.parametrize(
    "spell",
    [
        lambda port: f"http://127.0.0.1:{port}/",
        lambda port: f"http://localhost:{port}/",
        lambda port: f"//[::ffff:127.0.0.1]:{port}/",
        lambda port: f"http://2130706433:{port}/",
        lambda port: f"http://0x7f.1:{port}/",
        lambda _: "http://169.254.169.254/latest/meta-data/",
        lambda _: "http://10.0.0.1/",
    ],
)
async def test_every_hop_is_guarded(spell: Callable[[int], str]) -> None:
    """A host that may be reached cannot send us to one that may not, however it spells it."""
    networks = (ip_network("127.0.0.2/32"),)
    async with (
        raw_server("127.0.0.2") as first,
        raw_server() as second,
        open_http_client(allow_private=False, allow_networks=networks) as guarded,
    ):
        first.answer = answer(307, spell(second.port))
        there = f"http://127.0.0.2:{first.port}/"
        with pytest.raises(ActionFailedError) as failure:
            await guarded.send(replace(to(first), url=there), within=scaled(5), body_limit=100)
    assert failure.value.permanent
    assert (len(first.requests), second.connections) == (1, 0)
