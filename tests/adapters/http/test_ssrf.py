"""Requests to where users have no business (SSRF): over the real client, not one of them gets a connection."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

import pytest

from app.adapters.http.client import open_http_client
from app.domain.errors import ActionFailedError
from app.ports import HttpClient, HttpRequest
from tests.support.deadlines import scaled
from tests.support.raw_http import RawServer, raw_server

# Spellings of loopback, all with a server behind them; {port} is its.
LOOPBACK: Final = (
    "http://127.0.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.000.000.001:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7F.1:{port}/",
    "http://0x7f.0x0.0x0.0x1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://127.255.255.254:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://sub.localhost:{port}/",
    "http://[::1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[::ffff:127.0.0.1%251]:{port}/",
    "http://shop.example@127.0.0.1:{port}/",
    "http://shop.example:80@127.0.0.1:{port}/",
    "http://shop.example%40@127.0.0.1:{port}/",
    "http://shop.example\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@shop.example/",
    "http://127.0.0.1:{port}#@shop.example/",
    "http://127.0.0.1:{port}?@shop.example/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127。0。0。1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54:{port}/",
    " http://127.0.0.1:{port}/",
    "http://127.0.0.1\t:{port}/",
    "http:127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
)
# Addresses with nothing behind them here; that they are refused must not depend on that.
INSIDE: Final = (
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/iam/",
    "http://2852039166/latest/meta-data/",
    "http://0xa9fea9fe/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://100.100.100.200/latest/meta-data/",
    "http://168.63.129.16/machine/",
    "http://192.0.0.192/opc/v2/instance/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[fe80::1%25lo]/",
    "http://[fc00::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2001:0:7f00:1::1]/",
    "http://[2606:4700::5efe:127.0.0.1]/",
)
REFUSAL: Final = "leads to a private, loopback, link-local or reserved address"
NO_REQUEST: Final = "no http request can be made of it"  # a decimal address is none


@pytest.fixture
async def guarded() -> AsyncIterator[HttpClient]:
    """The client as it is by default."""
    async with open_http_client(allow_private=False) as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    """A server on every loopback address."""
    async with raw_server("") as served:
        yield served


async def failure_of(client: HttpClient, url: str) -> ActionFailedError:
    """Why a request to it fails."""
    with pytest.raises(ActionFailedError) as failure:
        await client.send(HttpRequest("POST", url, {}, b"{}"), within=scaled(5), body_limit=100)
    return failure.value


def test_there_are_enough() -> None:
    """Issue 4 asks for at least 40 addresses."""
    assert len({*LOOPBACK, *INSIDE}) >= 60


@pytest.mark.parametrize("url", LOOPBACK)
async def test_no_spelling_of_loopback_gets_a_connection(guarded: HttpClient, server: RawServer, url: str) -> None:
    """Decimal, octal, hexadecimal, short, mapped, by name, hidden behind a user name: nobody is reached."""
    await failure_of(guarded, url.format(port=server.port))
    assert server.connections == 0


@pytest.mark.parametrize("url", INSIDE)
async def test_no_address_inside_gets_a_socket(guarded: HttpClient, url: str) -> None:
    """Private, link-local, metadata, multicast, wrapped in IPv6: refused for good before anything is tried."""
    failure = await failure_of(guarded, url)
    assert failure.permanent
    assert REFUSAL in str(failure) or NO_REQUEST in str(failure)


class Names:
    """Gives each name the addresses it is told to, the next ones at each question."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self._answers = list(answers)

    async def resolve(self, _host: str, _port: int) -> Sequence[str]:
        """Answer with the next addresses; the last ones again and again."""
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.mark.parametrize(
    "addresses",
    [("127.0.0.1",), ("::1",), ("::ffff:127.0.0.1",), ("169.254.169.254",), ("10.0.0.1", "127.0.0.1"), ("0.0.0.0",)],  # noqa: S104 - an address to refuse
)
async def test_a_name_for_an_address_inside_is_refused(server: RawServer, addresses: tuple[str, ...]) -> None:
    """Whatever a user's own name server says."""
    async with open_http_client(allow_private=False, resolve=Names(addresses).resolve) as client:
        failure = await failure_of(client, f"http://rebind.example:{server.port}/")
    assert failure.permanent
    assert server.connections == 0


async def test_a_name_that_changes_between_check_and_connection_is_refused(server: RawServer) -> None:
    """What is checked is the address of the connection; that the name was a public one's a moment ago is no help."""
    names = Names(("93.184.215.14",), ("127.0.0.1",))
    checked = await names.resolve("rebind.example", server.port)
    async with open_http_client(allow_private=False, resolve=names.resolve) as client:
        failure = await failure_of(client, f"http://rebind.example:{server.port}/")
    assert checked == ("93.184.215.14",)
    assert failure.permanent
    assert REFUSAL in str(failure)
    assert server.connections == 0


async def test_the_same_requests_arrive_where_the_setting_allows_them(server: RawServer) -> None:
    """So it is the guard that has refused them, and not something else."""
    async with open_http_client(allow_private=True, resolve=Names(("127.0.0.1",)).resolve) as client:
        for host in ("127.0.0.1", "[::1]", "rebind.example", "[::ffff:127.0.0.1]"):
            request = HttpRequest("POST", f"http://{host}:{server.port}/", {}, b"{}")
            assert (await client.send(request, within=scaled(5), body_limit=100)).status == 200
    assert len(server.requests) == 4
