"""Addresses inside, three ways: as a webhook's URL, as the end of a redirect, as a channel's URL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from aiohttp import web

from app.adapters.http.address_guard import OUT_OF_BOUNDS
from app.adapters.secrets.cipher import FernetCipher
from tests.adapters.http.test_address_guard import INSIDE as ADDRESSES
from tests.adapters.http.test_ssrf import INSIDE, LOOPBACK
from tests.attack.echoes import OUTSIDE
from tests.attack.ground import Ground
from tests.attack.report import Check
from tests.support.fake_secrets import KEY
from tests.support.raw_http import RawServer, raw_server

_LEAST: Final = 83
# What a row says of a channel that led to no connection: out of bounds, no URL, or a name that nothing has.
_NOT_SENT: Final = (OUT_OF_BOUNDS, "its URL is none that Apprise takes", "the service did not take it")


def targets(port: int) -> list[str]:
    """Return every URL that must not be reached; a server listens on ``port`` of every address of this machine."""
    wrapped = (f"http://[{one.replace('%', '%25')}]/" if ":" in one else f"http://{one}/" for one in ADDRESSES)
    return list(dict.fromkeys([*(url.format(port=port) for url in LOOPBACK), *INSIDE, *wrapped]))


async def nothing_inside_is_reached(ground: Ground) -> list[Check]:
    """Try each target each way; the server behind the loopback ones must see no connection."""
    async with raw_server("") as server:
        urls = targets(server.port)
        assert len(urls) >= _LEAST
        direct = await _by_webhook(ground, server, "addresses inside, as a webhook's URL", urls)
        async with _redirector(urls) as hops:
            hopped = await _by_webhook(ground, server, "addresses inside, at the end of a redirect", hops)
        return [direct, hopped, await _by_channel(ground, server, urls)]


async def _by_webhook(ground: Ground, server: RawServer, name: str, urls: list[str]) -> Check:
    check, kind, before = Check(name), f"custom.s{uuid4().hex[:10]}", server.connections
    hook = {"type": "webhook", "config": {"url": "{{ target }}", "method": "GET"}}
    workflow = await ground.workflow(kind, hook)
    await ground.stack.settled()
    rows = await ground.run(workflow, kind, [{"target": url} for url in urls])
    reached = server.connections - before
    for url, row in zip(urls, rows, strict=True):
        check.note(f"{url}: {row[1]} {row[2]}", held=row[1] == "failed")
    check.figures["connections made"] = reached
    if reached:
        check.note(f"{reached} connections reached the server inside", held=False)
    return check


async def _by_channel(ground: Ground, server: RawServer, urls: list[str]) -> Check:
    """Each is refused when it is stored, and when it is used all the same, as of a name that leads elsewhere now."""
    check, before = Check("addresses inside, as a channel's URL"), server.connections
    names = {f"c-{uuid4().hex[:12]}": _as_channel(url) for url in urls}
    refused = 0
    for name, url in names.items():
        answer = await ground.call("POST", "/api/v1/channels", {"name": name, "url": url, "owners": ["*"]})
        check.note(f"{url}: {answer.status} {answer.text[:100]}", held=answer.status in (201, 400))
        refused += answer.status == 400
        if answer.status != 201:
            harmless = {"name": name, "url": f"json://{OUTSIDE}/", "owners": ["*"]}
            assert (await ground.call("POST", "/api/v1/channels", harmless)).status == 201
    await _smuggle(ground, names)
    for name, (status, error) in (await _used(ground, list(names))).items():
        held = status == "failed" and any(said in error for said in _NOT_SENT)
        check.note(f"{names[name]}, used: {status} {error}", held=held)
    reached = server.connections - before
    check.note(f"{reached} connections reached the server inside", held=not reached)
    check.figures |= {"refused as they are stored": refused, "connections made": reached}
    return check


def _as_channel(url: str) -> str:
    parts = urlsplit(url.strip())
    return f"json://{parts.netloc}{parts.path}"


async def _smuggle(ground: Ground, names: dict[str, str]) -> None:
    """Give channels their URLs behind the API's back."""
    cipher = FernetCipher(KEY)
    async with await psycopg.AsyncConnection.connect(ground.stack.database_url, autocommit=True) as connection:
        for name, url in names.items():
            sealed = cipher.encrypt(url)
            await connection.execute("UPDATE notification_channels SET url = %s WHERE name = %s", (sealed, name))


async def _used(ground: Ground, names: list[str]) -> dict[str, tuple[str, str]]:
    """Run each channel once, by a workflow of its own; returns the rows' statuses and the steps' errors."""
    kinds, workflows = {name: f"custom.{uuid4().hex}" for name in names}, {}
    for name, kind in kinds.items():
        config = {"channel": name, "title": "t", "body": "b"}
        workflows[name] = await ground.workflow(kind, {"type": "send_notification", "config": config})
    await ground.stack.settled()
    ran = await asyncio.gather(*(ground.run(workflows[name], kinds[name], [{}]) for name in names))
    return {name: (rows[0][1], str(rows[0][2][0].get("error"))) for name, rows in zip(names, ran, strict=True)}


@asynccontextmanager
async def _redirector(targets: list[str]) -> AsyncIterator[list[str]]:
    """Run a server outside that sends its callers on to a target inside; yields a URL for each."""

    async def send_on(request: web.Request) -> web.StreamResponse:
        target = targets[int(request.match_info["index"])]
        # A header holds no control characters; what is left of the target is as hostile.
        location = "".join(character for character in target if character >= " ")
        return web.Response(status=307, headers={"Location": location})

    app = web.Application()
    app.router.add_route("*", "/{index}", send_on)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, OUTSIDE, 0).start()
    try:
        yield [f"http://{OUTSIDE}:{runner.addresses[0][1]}/{index}" for index in range(len(targets))]
    finally:
        await runner.cleanup()
