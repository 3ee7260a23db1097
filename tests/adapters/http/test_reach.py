"""The verdict on a URL is the one that its connection would get, and nothing is connected to."""

import asyncio
from collections.abc import Sequence

import pytest

from app.adapters.http.address_guard import OUT_OF_BOUNDS
from app.adapters.http.client import open_http_client
from app.adapters.http.names import system_resolve
from app.adapters.http.reach import GuardJudge
from app.domain.errors import ActionFailedError
from app.ports import HttpRequest
from app.settings import Settings
from tests.support.addresses import addresses_of

CLOSED, OPEN = Settings(), Settings(webhook_allow_private=True)
LISTED = Settings(webhook_allow_networks="10.0.0.0/8")


@pytest.mark.parametrize(
    ("settings", "url", "verdict"),
    [
        (CLOSED, "https://hooks.example.com/x", "public"),
        (CLOSED, "https://both.example.com/x", "public"),
        (CLOSED, "https://inside.example.com/x", "refused"),
        (CLOSED, "http://127.0.0.1:9/", "refused"),
        (CLOSED, "http://[::ffff:10.0.0.1]/", "refused"),
        (CLOSED, "http://169.254.169.254/latest", "refused"),
        (CLOSED, "https://nowhere.example.com/", "unresolved"),
        (OPEN, "https://inside.example.com/x", "private"),
        (OPEN, "http://localhost:8080/x", "private"),
        (LISTED, "http://10.1.2.3/", "private"),
        (LISTED, "http://192.168.0.1/", "refused"),
    ],
)
async def test_a_host_is_judged_by_its_addresses(settings: Settings, url: str, verdict: str) -> None:
    """By the installation's settings: refused where no address may be reached, private where that is let through."""
    reach = await GuardJudge(settings, addresses_of).judge(url, within=1)
    assert reach is not None
    assert (reach.verdict, OUT_OF_BOUNDS in reach.why) == (verdict, verdict in {"refused", "private"})


@pytest.mark.parametrize("url", ["http://[oops", "http://:80/", "mailto:x", "http://h:99999/"])
async def test_a_url_without_a_host_has_no_verdict(url: str) -> None:
    """What is wrong with it is said elsewhere."""
    assert await GuardJudge(CLOSED, addresses_of).judge(url, within=1) is None


async def test_the_reason_is_the_errors_that_the_webhook_would_fail_with() -> None:
    """The same words, so that a trial and a run are not told apart."""
    reach = await GuardJudge(CLOSED, system_resolve).judge("http://127.0.0.1:9/x", within=1)
    async with open_http_client(allow_private=False) as client:
        with pytest.raises(ActionFailedError) as failed:
            await client.send(HttpRequest("POST", "http://127.0.0.1:9/x"), within=1, body_limit=10)
    assert reach is not None
    assert reach.why == str(failed.value)


async def test_a_slow_name_server_is_not_waited_for() -> None:
    """It has no address in time; that is no verdict against it."""

    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.get_running_loop().create_future()
        return [host, str(port)]

    reach = await GuardJudge(CLOSED, never).judge("http://slow.example.com/", within=0.01)
    assert reach is not None
    assert reach.verdict == "unresolved"


def test_what_is_open_is_said() -> None:
    """In the words of the setting that opens it; nothing where nothing is."""
    assert GuardJudge(CLOSED).open_to is None
    assert "HEADRACE_WEBHOOK_ALLOW_PRIVATE" in str(GuardJudge(OPEN).open_to)
    assert "10.0.0.0/8" in str(GuardJudge(LISTED).open_to)
