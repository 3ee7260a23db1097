"""Addresses inside, three ways: as a webhook's URL, as the end of a redirect, as a channel's URL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from aiohttp import web

from tests.adapters.test_address_guard import INSIDE as ADDRESSES
from tests.adapters.test_ssrf import INSIDE, LOOPBACK
from tests.attack.ground import OUTSIDE, Ground
from tests.attack.report import Check
from tests.support.raw_http import RawServer, raw_server

_LEAST: Final = 83


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
    """A channel is refused when it is stored; what is not refused is used, and must not reach anything."""
    check, before = Check("addresses inside, as a channel's URL"), server.connections
    kind = f"custom.c{uuid4().hex[:10]}"
    stored = []
    for url in urls:
        parts = urlsplit(url.strip())
        draft = {"name": f"c-{uuid4().hex[:12]}", "url": f"json://{parts.netloc}{parts.path}", "owners": ["*"]}
        answer = await ground.call("POST", "/api/v1/channels", draft)
        if answer.status == 201:
            stored.append(draft["name"])
        check.note(f"{url}: {answer.status} {answer.text[:100]}", held=answer.status in (201, 400))
    for name in stored:
        await _use(ground, kind, str(name))
    check.figures |= {"stored": len(stored), "connections made": server.connections - before}
    if server.connections > before:
        check.note(f"{server.connections - before} connections reached the server inside", held=False)
    return check


async def _use(ground: Ground, kind: str, channel: str) -> None:
    action: dict[str, Any] = {"type": "send_notification", "config": {"channel": channel, "title": "t", "body": "b"}}
    workflow = await ground.workflow(f"{kind}-{uuid4().hex[:6]}", action)
    del workflow


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
