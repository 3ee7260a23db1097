"""The client on the loop that workers run, uvloop's, whose transports have ways of their own."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import pytest
import uvloop

from app.adapters.http.client import open_http_client
from app.ports import HttpClient
from tests.adapters.http import test_client, test_connections, test_dialing, test_pool
from tests.support.lines import lines
from tests.support.raw_http import RawServer, raw_server
from tests.support.secured.certificates import Authority

Scenario = Coroutine[Any, Any, None]


def with_client(test: Callable[[HttpClient], Awaitable[None]]) -> Callable[[Path], Scenario]:
    """Give a test its client."""

    async def run(_home: Path) -> None:
        async with open_http_client(allow_private=True) as client:
            await test(client)

    return run


def with_server(test: Callable[[HttpClient, RawServer], Awaitable[None]]) -> Callable[[Path], Scenario]:
    """Give a test its client and its server."""

    async def run(_home: Path) -> None:
        async with open_http_client(allow_private=True) as client, raw_server() as server:
            await test(client, server)

    return run


def with_authority(test: Callable[[test_dialing.Asked, Authority], Awaitable[None]]) -> Callable[[Path], Scenario]:
    """Give a test its names and its authority."""

    async def run(home: Path) -> None:
        asked = test_dialing.Asked()
        asked.may_answer.set()
        await test(asked, Authority(home, "ours"))

    return run


async def kept_too_many(_home: Path) -> None:
    """More connections than are kept."""
    async with lines(test_pool.serve, backlog=1024) as served:
        await test_pool.test_so_many_are_kept_and_no_more(served)


SCENARIOS: Final = (
    with_client(test_connections.test_sent_again_in_vain_the_effect_stays_unknown),
    with_client(test_connections.test_a_connection_that_has_ended_meanwhile_is_not_used),
    with_client(test_connections.test_who_answers_before_all_is_sent_is_not_asked_again),
    with_client(test_connections.test_512_at_once_have_a_connection_each_and_keep_it),
    with_client(test_client.test_a_refused_connection_has_no_effect),
    with_client(test_client.test_a_name_that_does_not_resolve_has_no_effect),
    with_server(test_client.test_requests_share_a_connection),
    with_server(test_client.test_an_endless_answer_is_not_read_on),
    with_server(test_client.test_an_answer_counts_once_its_status_is_here),
    with_server(test_client.test_a_lost_connection_leaves_the_effect_unknown),
    with_authority(test_dialing.test_a_host_proves_its_name_at_the_address_that_was_looked_at),
    with_authority(test_dialing.test_whom_the_system_does_not_trust_is_not_trusted),
    with_authority(test_dialing.test_a_kept_connection_over_tls_is_used_again),
    lambda _home: test_connections.test_who_gives_up_hangs_up(),
    lambda _home: test_connections.test_who_gives_up_while_connecting_leaves_nothing(),
    lambda _home: test_connections.test_at_the_end_everybody_is_hung_up_on(),
    lambda _home: test_pool.test_what_comes_unasked_ends_a_kept_connection(),
    lambda _home: test_pool.test_one_that_ends_before_it_is_asked_answers_nobody(),
    kept_too_many,
)


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_it_is_the_same_on_the_workers_loop(scenario: Callable[[Path], Scenario], tmp_path: Path) -> None:
    """Each of the other tests that depends on a transport's ways."""

    async def on_it() -> None:
        assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
        await scenario(tmp_path)

    await asyncio.to_thread(uvloop.run, on_it())
