"""The contract of ``HttpClient``: on the fake, over TCP, and over TCP by a client that the first request loads."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Protocol

import pytest

from app.adapters.http.client import open_http_client
from app.adapters.http.late import open_late_client
from app.domain.errors import ActionFailedError
from app.ports import HttpAnswer, HttpClient, HttpRequest
from tests.support.deadlines import scaled
from tests.support.fake_http import FakeHttp
from tests.support.raw_http import RawServer, raw_server


class World(Protocol):
    """A client, and a destination that does as it is told."""

    @property
    def client(self) -> HttpClient:
        """The implementation under test."""

    @property
    def url(self) -> str:
        """Where the destination takes requests."""

    def will_answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Answer like this from now on."""

    def will_answer_again(self, times: int) -> None:
        """Answer the same so many times more."""

    def will_be_silent(self) -> None:
        """Take requests and never answer."""

    def seen(self) -> list[tuple[str, str, bytes]]:
        """Return method, Idempotency-Key and body of each request."""


@dataclass
class FakeWorld:
    """The fake, which is its own destination."""

    client: FakeHttp
    url: str = "http://shop.example/hook"

    def will_answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Answer like this next time."""
        self.client.answers = [HttpAnswer(status, headers, body.decode())]

    def will_answer_again(self, times: int) -> None:
        """Answer the same so many times more."""
        self.client.answers *= times + 1

    def will_be_silent(self) -> None:
        """Fail like a client whose destination never answers."""
        self.client.answers = [ActionFailedError("no answer", effect_unknown=True)]

    def seen(self) -> list[tuple[str, str, bytes]]:
        """Return what was sent."""
        return [(r.method, r.headers["Idempotency-Key"], r.body or b"") for r in self.client.requests]


@dataclass
class RealWorld:
    """The real client, and a server on loopback."""

    client: HttpClient
    server: RawServer

    @property
    def url(self) -> str:
        """Where the server takes requests."""
        return f"{self.server.url}/hook"

    def will_answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Answer like this from now on."""
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.server.answer = f"HTTP/1.1 {status} Word\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body

    def will_answer_again(self, times: int) -> None:
        """It answers the same until it is told otherwise."""

    def will_be_silent(self) -> None:
        """Take requests and never answer."""
        self.server.answer = None

    def seen(self) -> list[tuple[str, str, bytes]]:
        """Return what arrived."""
        return [_parts(request) for request in self.server.requests]


def _parts(request: bytes) -> tuple[str, str, bytes]:
    head, _, body = request.decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    key = next(line.partition(": ")[2] for line in lines if line.lower().startswith("idempotency-key"))
    return lines[0].partition(" ")[0], key, body.encode()


@pytest.fixture(params=["fake", "over TCP", "opened late"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Each implementation, one after the other."""
    if request.param == "fake":
        yield FakeWorld(FakeHttp())
        return
    opening = open_http_client if request.param == "over TCP" else open_late_client
    async with raw_server() as server, opening(allow_private=True) as client:
        yield RealWorld(client, server)


def _post(url: str) -> HttpRequest:
    return HttpRequest("POST", url, {"Idempotency-Key": "k-1", "Content-Type": "application/json"}, b'{"a":1}')


async def test_the_request_arrives_as_it_was_given(world: World) -> None:
    """Method, headers and body arrive unchanged; the answer's status, headers and body come back."""
    world.will_answer(201, {"X-Shop": "yes"}, b"made")
    answer = await world.client.send(_post(world.url), within=scaled(5), body_limit=100)
    assert world.seen() == [("POST", "k-1", b'{"a":1}')]
    assert (answer.status, answer.headers["x-shop"], answer.body) == (201, "yes", "made")


@pytest.mark.parametrize("status", [301, 404, 429, 500, 503])
async def test_an_error_status_is_an_answer(world: World, status: int) -> None:
    """An HTTP error, and a redirect, is handed back and never raised or followed."""
    world.will_answer(status, {"Retry-After": "7", "Location": "/elsewhere"}, b"")
    answer = await world.client.send(_post(world.url), within=scaled(5), body_limit=100)
    assert (answer.status, answer.headers["retry-after"], len(world.seen())) == (status, "7", 1)


async def test_redirects_are_followed_as_far_as_is_asked(world: World) -> None:
    """Each hop repeats the request; the redirect after the last one is the answer."""
    world.will_answer(307, {"Location": world.url}, b"")
    world.will_answer_again(2)
    answer = await world.client.send(replace(_post(world.url), redirects=2), within=scaled(5), body_limit=100)
    assert world.seen() == [("POST", "k-1", b'{"a":1}')] * 3
    assert answer.status == 307


async def test_the_body_is_cut_to_the_limit(world: World) -> None:
    """No more of the body comes back than the caller asked for."""
    world.will_answer(200, {}, b"x" * 5000)
    answer = await world.client.send(_post(world.url), within=scaled(5), body_limit=2048)
    assert answer.body == "x" * 2048


async def test_silence_leaves_the_effect_unknown(world: World) -> None:
    """A destination that takes the request and never answers may have carried it out."""
    world.will_be_silent()
    with pytest.raises(ActionFailedError) as failure:
        await world.client.send(_post(world.url), within=0.2, body_limit=100)
    assert (failure.value.effect_unknown, failure.value.permanent) == (True, False)


async def test_what_is_no_http_url_is_refused_for_good(world: World) -> None:
    """A URL that names no HTTP destination fails at once and permanently."""
    with pytest.raises(ActionFailedError) as failure:
        await world.client.send(_post("gopher://shop.example/"), within=scaled(5), body_limit=100)
    assert failure.value.permanent
