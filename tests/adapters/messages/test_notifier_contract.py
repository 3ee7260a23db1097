"""The contract of ``Notifier`` and of ``Inbox``, on the fakes and on Apprise and Postgres; and what Apprise adds."""

import asyncio
import logging
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.adapters.http.address_guard import OUT_OF_BOUNDS, within_bounds
from app.adapters.messages.guarded_threads import bounded
from app.adapters.messages.notifier import THREADS, AppriseUrls, open_notifier
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.inbox import PostgresInbox
from app.adapters.secrets.cipher import FernetCipher
from app.domain.errors import ActionFailedError, InvalidError
from app.domain.grants import EVERYBODY, Grant, Use
from app.embedded.webhook_receiver import WebhookReceiver
from app.ports import Inbox, Notice, Notifier, Sealed
from app.services.access.secret_cache import SecretCache
from tests.support.deadlines import scaled
from tests.support.fake_notifier import FakeNotifier, MemoryInbox
from tests.support.fake_secrets import KEY, MemorySecrets
from tests.support.logins import pool_of
from tests.support.raw_http import raw_server
from tests.support.waiting import eventually

TOKEN = "T0PSECRETT0KEN"
EVERYWHERE = within_bounds(allow_private=True)
USE = Use(uuid4(), uuid4())


class Channels(MemorySecrets):
    """Sealed URLs in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.cipher = FernetCipher(KEY)
        self.urls: dict[str, str] = {}
        self.grants: dict[str, Grant] = {}

    async def read(self, names: Collection[str]) -> dict[str, Sealed]:
        """Return the sealed URLs of those that there are."""
        there = [name for name in names if name in self.urls]
        return {name: Sealed(self.cipher.encrypt(self.urls[name]), self.grants.get(name, EVERYBODY)) for name in there}


@dataclass(frozen=True, slots=True)
class World:
    """A notifier that knows the channel ``sales-team``, and what arrived there."""

    notifier: Notifier
    arrived: Callable[[], list[tuple[str, str]]]


def channel_url(receiver: WebhookReceiver) -> str:
    """Return a URL of Apprise's that leads to the receiver; it is no less secret than any other."""
    return f"json://ada:{TOKEN}@127.0.0.1:{receiver.port}/{TOKEN}?+Idempotency-Key=apprise"


@pytest.fixture(params=["fake", "apprise"])
async def world(request: pytest.FixtureRequest, receiver: WebhookReceiver) -> AsyncIterator[World]:
    """One notifier after the other."""
    if request.param == "fake":
        fake = FakeNotifier()
        yield World(fake, lambda: [(title, body) for _, title, body in fake.sent])
        return
    channels = Channels()
    channels.urls["sales-team"] = channel_url(receiver)
    with open_notifier(SecretCache(channels, channels.cipher, time.monotonic, noun="channel"), EVERYWHERE) as notifier:
        yield World(notifier, lambda: [_told(one.json()) for one in receiver.deliveries])


def _told(message: Any) -> tuple[str, str]:
    return message["title"], message["message"]


async def test_a_notification_arrives_as_it_was_written(world: World) -> None:
    """Title and body, nothing interpreted: no markup, no escapes, no templates."""
    body = "Two lines,\nand *these* <b>as they are</b> \\n :smile: {{ x }} ✓"
    await world.notifier.notify("sales-team", "A title & more", body, use=USE, within=scaled(5))
    assert world.arrived() == [("A title & more", body)]


async def test_a_channel_that_is_not_there_is_named(world: World) -> None:
    """Permanent, and nothing was sent."""
    with pytest.raises(ActionFailedError, match="there is no channel night-shift") as failure:
        await world.notifier.notify("night-shift", "t", "b", use=USE, within=scaled(5))
    assert (failure.value.permanent, failure.value.effect_unknown) == (True, False)
    assert not world.arrived()


# -- Apprise


@pytest.mark.parametrize("grant", [Grant(), Grant((str(USE.owner),)), Grant(("*",), (str(USE.owner),))])
async def test_a_channel_that_is_not_for_the_workflow_sends_nothing(
    channels: Channels, apprise: Notifier, receiver: WebhookReceiver, grant: Grant
) -> None:
    """Permanent, and it says why; rights may have changed since the workflow was saved."""
    channels.urls["sales-team"], channels.grants["sales-team"] = channel_url(receiver), grant
    failed = await _failure(apprise)
    assert failed.permanent
    assert str(failed) == "channel sales-team is not for this workflow or its owner; an administrator can grant it"
    assert not receiver.deliveries


@pytest.fixture
async def channels() -> Channels:
    """Channels that the test fills."""
    return Channels()


@pytest.fixture
async def apprise(channels: Channels) -> AsyncIterator[Notifier]:
    """A notifier over them."""
    with open_notifier(SecretCache(channels, channels.cipher, time.monotonic, noun="channel"), EVERYWHERE) as notifier:
        yield notifier


async def _failure(notifier: Notifier, *, within: float | None = None) -> ActionFailedError:
    with pytest.raises(ActionFailedError) as failure:
        await notifier.notify("sales-team", "t", "b", use=USE, within=within or scaled(5))
    return failure.value


@pytest.mark.parametrize(
    ("status", "permanent", "unknown", "answered"),
    [(400, True, False, True), (404, True, False, True), (429, False, False, False), (500, False, True, False)],
)
async def test_a_status_says_what_may_follow(
    channels: Channels,
    apprise: Notifier,
    receiver: WebhookReceiver,
    status: int,
    *,
    permanent: bool,
    unknown: bool,
    answered: bool,
) -> None:
    """4xx is final but for limits; a server that failed may have sent it on. Apprise itself tries once."""
    channels.urls["sales-team"] = f"{channel_url(receiver)}&retry=3"
    receiver.behaviour.status = status
    failure = await _failure(apprise)
    assert (failure.permanent, failure.effect_unknown, failure.answered) == (permanent, unknown, answered)
    assert str(failure) == f"channel sales-team: the service answered {status}"
    assert receiver.count == 1


async def test_no_connection_is_tried_again(channels: Channels, apprise: Notifier) -> None:
    """Apprise does not say what went wrong, so it may have been sent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        channels.urls["sales-team"] = f"json://127.0.0.1:{taken.getsockname()[1]}/"
        failure = await _failure(apprise)
    assert (failure.permanent, failure.effect_unknown) == (False, True)


async def test_a_service_that_hangs_holds_nobody_up(
    channels: Channels, apprise: Notifier, receiver: WebhookReceiver
) -> None:
    """The attempt ends in time and in doubt, and the loop serves others all the while."""
    channels.urls["sales-team"] = channel_url(receiver)
    receiver.behaviour.delay_s = 1
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    beside = asyncio.create_task(others())
    failure = await _failure(apprise, within=0.3)
    beside.cancel()
    assert (str(failure), failure.effect_unknown) == ("channel sales-team: no end within 0.3 s", True)
    assert turns > 10


async def test_what_no_thread_began_was_not_sent(
    channels: Channels, apprise: Notifier, receiver: WebhookReceiver
) -> None:
    """Behind twenty that hang the next one ends without a doubt, and never arrives."""
    channels.urls["sales-team"] = channel_url(receiver)
    receiver.behaviour.delay_s = 3
    hanging = [asyncio.create_task(_failure(apprise, within=2.5)) for _ in range(THREADS)]
    await eventually(lambda: receiver.count == THREADS, within=2, what="all threads at work")
    failure = await _failure(apprise, within=0.2)
    assert (failure.permanent, failure.effect_unknown) == (False, False)
    assert all(one.effect_unknown for one in await asyncio.gather(*hanging))
    assert receiver.count == THREADS


async def test_urls_stay_out_of_logs_and_errors(
    channels: Channels, apprise: Notifier, receiver: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a refusal nor a URL that is none tells the token, whatever the log's level."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    for url in (channel_url(receiver), f"json://ada:{TOKEN}@", f"slack://{TOKEN}", f"nothing://{TOKEN}"):
        channels.urls[f"c{len(said)}"] = url
        receiver.behaviour.status = 400
        with pytest.raises(ActionFailedError) as failure:
            await apprise.notify(f"c{len(said)}", "t", "b", use=USE, within=scaled(5))
        said.append(str(failure.value))
        assert failure.value.permanent
    assert TOKEN not in " ".join(said) + caplog.text
    assert [text.partition(": ")[2] for text in said[1:]] == ["its URL is none that Apprise takes (any more)"] * 3


async def test_a_url_names_its_service() -> None:
    """What the API shows in the URL's place; None for what Apprise does not know."""
    urls = AppriseUrls(EVERYWHERE)
    assert await urls.service_of("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#sales") == "Slack"
    assert await urls.service_of("https://example.com/hook") is None
    assert await urls.service_of("slack://") is None
    assert await urls.service_of("") is None


# -- the inbox


@dataclass(frozen=True, slots=True)
class Box:
    """An inbox, and the titles in it."""

    inbox: Inbox
    titles: Callable[[], Any]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def box(request: pytest.FixtureRequest) -> AsyncIterator[Box]:
    """One inbox after the other."""
    if request.param == "memory":
        memory = MemoryInbox()

        async def remembered() -> list[str]:
            return [one.title for one in memory.notices]

        yield Box(memory, remembered)
        return
    url = request.getfixturevalue("database")
    async with (
        pool_of(url, DatabaseRole.EXECUTOR) as pool,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as connection,
    ):

        async def stored() -> list[str]:
            return [row[0] for row in await (await connection.execute("SELECT title FROM notifications")).fetchall()]

        yield Box(PostgresInbox(pool.connection), stored)


async def test_a_notice_is_in_the_inbox_once(box: Box) -> None:
    """Put in again, with whatever words, it stays as it was."""
    first = Notice(uuid4(), uuid4(), "first", "b", uuid4(), uuid4())
    await box.inbox.put(first, within=scaled(5))
    await box.inbox.put(Notice(first.id, first.user, "again", "b", uuid4(), uuid4()), within=scaled(5))
    assert await box.titles() == ["first"]


@pytest.mark.postgres
async def test_an_inbox_that_does_not_answer_ends_in_time_and_without_a_doubt(database: str) -> None:
    """Another transaction holds the row: the attempt ends in its time, and may be made again."""
    notice = Notice(uuid4(), uuid4(), "t", "b", uuid4(), uuid4())
    async with (
        pool_of(database, DatabaseRole.EXECUTOR) as pool,
        await psycopg.AsyncConnection.connect(database) as other,
    ):
        await other.execute(
            "INSERT INTO notifications (id, user_id, title, body, workflow_id, execution_id)"
            " VALUES (%s, %s, 't', 'b', %s, %s)",
            (notice.id, notice.user, notice.workflow_id, notice.execution_id),
        )
        with pytest.raises(ActionFailedError, match=r"within 0\.3 s") as failure:
            await PostgresInbox(pool.connection).put(notice, within=0.3)
        assert (failure.value.permanent, failure.value.effect_unknown) == (False, False)
        await other.rollback()
        await PostgresInbox(pool.connection).put(notice, within=scaled(5))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("json://ada:pw@127.0.0.1:{port}/", OUT_OF_BOUNDS),
        ("json://localhost:{port}/", OUT_OF_BOUNDS),
        ("json://[::1]:{port}/", OUT_OF_BOUNDS),
        ("mailto://ada:pw@localhost:{port}?from=a@b.example&to=c@d.example&smtp=127.0.0.1", OUT_OF_BOUNDS),
        ("syslog://", "is for what is on this machine"),
    ],
)
async def test_channels_do_not_reach_inside(channels: Channels, receiver: WebhookReceiver, url: str, said: str) -> None:
    """Judged as the connection is made, by address; the same URL is not stored either."""
    channels.urls["sales-team"] = url.format(port=receiver.port)
    bounds = within_bounds(allow_private=False)
    with open_notifier(SecretCache(channels, channels.cipher, time.monotonic, noun="channel"), bounds) as notifier:
        failed = await _failure(notifier)
    assert failed.permanent
    assert said in str(failed)
    assert not receiver.deliveries
    with pytest.raises(InvalidError) as refused:
        await AppriseUrls(bounds).service_of(channels.urls["sales-team"])
    assert [error.path for error in refused.value.errors] == ["url"]
    assert said in refused.value.errors[0].message


@pytest.mark.parametrize(
    "spell",
    [
        "http://127.0.0.1:{port}/there",
        "//[::ffff:127.0.0.1]:{port}/there",
        "http://2130706433:{port}/there",
        "http://localhost:{port}/there",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
@pytest.mark.parametrize("status", [301, 307, 308])
async def test_a_channel_is_redirected_nowhere_inside(channels: Channels, status: int, spell: str) -> None:
    """The first host may be reached; the one that it sends Apprise on to gets no connection."""
    bounds = within_bounds(allow_private=False, allow_networks=(ip_network("127.0.0.2/32"),))
    async with raw_server("127.0.0.2") as first, raw_server("") as second:
        location = spell.format(port=second.port)
        first.answer = f"HTTP/1.1 {status} Word\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n".encode()
        channels.urls["sales-team"] = f"json://127.0.0.2:{first.port}/"
        cache = SecretCache(channels, channels.cipher, time.monotonic, noun="channel")
        with open_notifier(cache, bounds) as notifier:
            failed = await _failure(notifier)
    assert (len(first.requests), second.connections) == (1, 0)
    assert failed.permanent
    assert OUT_OF_BOUNDS in str(failed)


def test_a_bounded_thread_reads_no_file_and_runs_nothing(tmp_path: Path) -> None:
    """Services that take files for keys, or run commands; after the block all is as before."""
    (tmp_path / "key").write_text("x")
    with bounded(EVERYWHERE) as refused:
        with pytest.raises(OSError, match="reads a file"):
            (tmp_path / "key").read_text()
        with pytest.raises(OSError, match="runs a program"):
            subprocess.run(["/bin/true"], check=False)
    assert len(refused) == 2
    assert (tmp_path / "key").read_text() == "x"
