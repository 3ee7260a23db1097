"""How a host is connected to: its addresses, its certificate, and the time that this may take."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.adapters.http.client import open_http_client
from app.domain.errors import ActionFailedError
from app.ports import HttpAnswer, HttpClient, HttpRequest
from tests.support.deadlines import scaled
from tests.support.lines import OK, Line, Lines, lines
from tests.support.raw_http import raw_server
from tests.support.secured.certificates import Authority
from tests.support.waiting import eventually


@dataclass
class Asked:
    """Names with the addresses that they are told to have.

    Attributes:
        questions: Which names were asked for.
        may_answer: Clear while a name server is slow.
    """

    addresses: Sequence[str] = ("127.0.0.1",)
    error: OSError | None = None
    questions: list[str] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def resolve(self, host: str, _port: int) -> Sequence[str]:
        """Answer once this may be."""
        self.questions.append(host)
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return self.addresses


@pytest.fixture
def asked() -> Asked:
    """Every name leads to 127.0.0.1."""
    told = Asked()
    told.may_answer.set()
    return told


async def sent(client: HttpClient, url: str, within: float = 5) -> HttpAnswer:
    """What is answered."""
    return await client.send(HttpRequest("POST", url, {}, b"{}"), within=scaled(within), body_limit=100)


async def failing(client: HttpClient, url: str, within: float = 5) -> ActionFailedError:
    """What there is instead of an answer."""
    with pytest.raises(ActionFailedError) as failure:
        await sent(client, url, within)
    return failure.value


async def serve(line: Line) -> None:
    """Answer everything."""
    while await line.request():
        await line.says(OK)


async def test_a_name_is_asked_for_once(asked: Asked) -> None:
    """For all that wait for it, and for those that come soon after; who gives up does not end it for the others."""
    asked.may_answer.clear()
    async with lines(serve) as served, open_http_client(allow_private=True, resolve=asked.resolve) as client:
        url = f"http://shop.example:{served.port}/"
        first, *others = [asyncio.create_task(sent(client, url)) for _ in range(3)]
        await eventually(lambda: asked.questions)
        first.cancel()
        await asyncio.wait({first})
        asked.may_answer.set()
        assert [(await other).status for other in others] == [200, 200]
        served.requests.clear()
        assert (await sent(client, url)).status == 200
    assert (asked.questions, first.cancelled()) == (["shop.example"], True)


async def test_a_name_without_an_address_is_asked_for_again(asked: Asked) -> None:
    """It may have one a moment later; nothing was sent, and it is the URL's mistake."""
    async with lines(serve) as served, open_http_client(allow_private=True, resolve=asked.resolve) as client:
        url = f"http://shop.example:{served.port}/"
        asked.error = OSError(-2, "Name or service not known")
        failure = await failing(client, url)
        asked.error = None
        assert (await sent(client, url)).status == 200
    assert str(failure) == f"no connection to shop.example:{served.port}: Name or service not known"
    assert (failure.effect_unknown, failure.own_making, failure.permanent) == (False, True, False)


async def test_the_next_address_is_tried_where_one_does_not_answer(asked: Asked) -> None:
    """A host is down when none of its addresses answers; what is said then is what the last of them did."""
    asked.addresses = ("127.0.0.3", "127.0.0.1")
    async with lines(serve) as served, open_http_client(allow_private=True, resolve=asked.resolve) as client:
        assert (await sent(client, f"http://shop.example:{served.port}/")).status == 200
        asked.addresses = ("127.0.0.3", "127.0.0.4")
        failure = await failing(client, f"http://down.example:{served.port}/")
    assert str(failure).startswith(f"no connection to down.example:{served.port}: Connect")
    assert (failure.effect_unknown, failure.own_making) == (False, False)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "017700000001", "127.0.0.01", "127.0.0.256", "127.0.0.1.1"])
async def test_an_address_is_written_as_addresses_are(host: str) -> None:
    """Old spellings mean one thing here and another there, also where every address may be reached."""
    async with lines(serve) as served, open_http_client(allow_private=True) as client:
        failure = await failing(client, f"http://{host}:{served.port}/")
    assert (failure.permanent, failure.effect_unknown, served.connections) == (True, False, 0)


async def test_an_address_that_may_be_reached_is_enough(asked: Asked) -> None:
    """Of a name that leads inside, too, only what is outside is connected to."""
    asked.addresses = ("10.0.0.1", "127.0.0.1", "::1")
    networks = (ip_network("127.0.0.1/32"),)
    async with (
        raw_server("") as server,
        open_http_client(allow_private=False, allow_networks=networks, resolve=asked.resolve) as client,
    ):
        assert (await sent(client, f"http://shop.example:{server.port}/")).status == 200
        asked.addresses = ("::1",)
        assert (await failing(client, f"http://inside.example:{server.port}/")).permanent
    assert server.connections == 1


async def test_all_addresses_of_a_host_get_some_of_the_work(asked: Asked) -> None:
    """Each new connection begins with another one."""
    asked.addresses = ("127.0.0.1", "127.0.0.2")
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    reached: set[str] = set()

    async def part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.add(writer.get_extra_info("sockname")[0])
        await Line(0, reader, writer, Lines()).answers(closing)
        writer.close()

    server = await asyncio.start_server(part, "0.0.0.0", 0)  # noqa: S104 - two addresses of loopback
    async with server, open_http_client(allow_private=True, resolve=asked.resolve) as client:
        for _ in range(4):
            await sent(client, f"http://shop.example:{server.sockets[0].getsockname()[1]}/")
    assert reached == {"127.0.0.1", "127.0.0.2"}


async def test_time_that_a_name_takes_is_the_connections(asked: Asked) -> None:
    """Where it runs out, certainly nothing was sent."""
    asked.may_answer.clear()
    async with open_http_client(allow_private=True, resolve=asked.resolve) as client:
        failure = await failing(client, "http://shop.example/", within=0.2)
    assert str(failure) == f"no connection within {scaled(0.2):g} s"
    assert (failure.effect_unknown, failure.timed_out) == (False, True)


# TLS.


@asynccontextmanager
async def secured(authority: Authority, *names: str, seen: list[str | None] | None = None) -> AsyncIterator[Lines]:
    """A server with a certificate for some names; ``seen`` gets those that it is asked for."""
    pair = authority.sign("server", names=names)
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trust.load_cert_chain(pair.certfile, pair.keyfile)

    def note(_socket: object, name: str | None, _context: object) -> None:
        if seen is not None:
            seen.append(name)

    trust.sni_callback = note
    async with lines(serve, trust=trust) as served:
        yield served


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority that nobody trusts unless told to."""
    return Authority(tmp_path, "ours")


def trusting(authority: Authority) -> ssl.SSLContext:
    """What trusts it."""
    return ssl.create_default_context(cafile=str(authority.cafile))


async def test_a_host_proves_its_name_at_the_address_that_was_looked_at(asked: Asked, authority: Authority) -> None:
    """It is asked for by name, in TLS and in HTTP, and has that one's certificate, whatever its address is."""
    seen: list[str | None] = []
    async with (
        secured(authority, "shop.example", seen=seen) as served,
        open_http_client(allow_private=True, resolve=asked.resolve, trust=trusting(authority)) as client,
    ):
        for host in ("shop.example", "SHOP.example."):
            assert (await sent(client, f"https://{host}:{served.port}/")).status == 200
    assert seen == ["shop.example"] * len(seen)
    assert [b"Host: shop.example:%d" % served.port in request for request in served.requests] == [True, True]


@pytest.mark.parametrize(
    ("names", "why"),
    [(("other.example",), "Hostname mismatch"), (("localhost",), "Hostname mismatch")],
)
async def test_anothers_certificate_proves_nothing(
    asked: Asked, authority: Authority, names: tuple[str, ...], why: str
) -> None:
    """Nothing is sent; it is a mistake in the URL, and no load on the server."""
    async with (
        secured(authority, *names) as served,
        open_http_client(allow_private=True, resolve=asked.resolve, trust=trusting(authority)) as client,
    ):
        failure = await failing(client, f"https://shop.example:{served.port}/")
    assert "certificate verify failed" in str(failure)
    assert why in str(failure)
    assert str(failure).startswith(f"no connection to shop.example:{served.port}: ")
    assert (failure.effect_unknown, failure.own_making, failure.permanent) == (False, True, False)
    assert not served.requests


@pytest.mark.parametrize(("names", "good"), [(("localhost",), True), (("shop.example",), False)])
async def test_an_address_needs_a_certificate_of_its_own(
    authority: Authority,
    names: tuple[str, ...],
    good: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """One for a name is none for the number."""
    async with (
        secured(authority, *names) as served,
        open_http_client(allow_private=True, trust=trusting(authority)) as client,
    ):
        url = f"https://127.0.0.1:{served.port}/"
        if good:
            assert (await sent(client, url)).status == 200
        else:
            assert "certificate verify failed" in str(await failing(client, url))


async def test_whom_the_system_does_not_trust_is_not_trusted(asked: Asked, authority: Authority) -> None:
    """Unless somebody says otherwise."""
    async with (
        secured(authority, "shop.example") as served,
        open_http_client(allow_private=True, resolve=asked.resolve) as client,
    ):
        failure = await failing(client, f"https://shop.example:{served.port}/")
    assert "unable to get local issuer certificate" in str(failure)
    assert (failure.effect_unknown, failure.own_making, served.requests) == (False, True, [])


async def test_an_address_that_is_refused_is_not_even_greeted(asked: Asked, authority: Authority) -> None:
    """The guard comes before TLS."""
    async with (
        secured(authority, "shop.example") as served,
        open_http_client(allow_private=False, resolve=asked.resolve, trust=trusting(authority)) as client,
    ):
        assert (await failing(client, f"https://shop.example:{served.port}/")).permanent
    assert served.connections == 0


async def test_a_server_that_never_greets_was_sent_nothing(asked: Asked) -> None:
    """It takes the connection, and says nothing of TLS: the time is the connection's still."""

    async def silent(line: Line) -> None:
        await line.ended()

    async with lines(silent) as served, open_http_client(allow_private=True, resolve=asked.resolve) as client:
        failure = await failing(client, f"https://shop.example:{served.port}/", within=0.3)
    assert str(failure) == f"no connection within {scaled(0.3):g} s"
    assert (failure.effect_unknown, failure.timed_out) == (False, True)


async def test_a_kept_connection_over_tls_is_used_again(asked: Asked, authority: Authority) -> None:
    """The greeting is what takes long."""
    async with (
        secured(authority, "shop.example") as served,
        open_http_client(allow_private=True, resolve=asked.resolve, trust=trusting(authority)) as client,
    ):
        for _ in range(3):
            await sent(client, f"https://shop.example:{served.port}/")
    assert (served.connections, len(served.requests)) == (1, 3)
