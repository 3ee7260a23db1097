"""Twenty secrets, sent to a destination that echoes them in eight spellings; then a search of all that is kept."""

import asyncio
import secrets as randomness
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
from aiohttp import web
from psycopg import sql

from app.actions.registry import REGISTRY
from app.topics import declare
from tests.attack.ground import OUTSIDE, Ground
from tests.attack.report import Check
from tests.attack.spellings import pieces, spellings
from tests.support.topic_records import read_all

_SECRETS: Final = 20
_HEADER: Final = "X-Secret"
_STATUSES: Final = (200, 302, 400, 404, 500, 503)
# Marks that make encodings differ, between parts of chance that no other text has.
_MARKS: Final = ("", "/+", '"\\', "<&>", "%20", "=?", " ", "'`", "äö", "\n")
_TABLES: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


def planted() -> dict[str, str]:
    """Return secrets by name, each with marks that are spelled differently."""
    return {f"PLANTED_{n}": _value(_MARKS[n % len(_MARKS)]) for n in range(_SECRETS)}


def _value(mark: str) -> str:
    line = mark if "\n" not in mark else ""  # a header holds no line break
    return randomness.token_urlsafe(12) + line + randomness.token_urlsafe(12)


async def no_secret_is_kept(ground: Ground) -> list[Check]:
    """Plant, use, be echoed, fail in every way; then look at every log, topic, table, metric and answer."""
    values = planted()
    async with _echo() as url:
        for name, value in values.items():
            body = {"value": value, "owners": ["*"], "workflows": ["*"], "hosts": [OUTSIDE, "*.example"]}
            answer = await ground.call("PUT", f"/api/v1/secrets/{name}", body)
            assert answer.status == 200, answer.text
        await _use(ground, url, list(values))
    await _ask_for_all(ground)
    return [await _search(where, texts, values) for where, texts in await _kept(ground)]


async def _use(ground: Ground, url: str, names: list[str]) -> None:
    used = []
    for name in names:
        kind = f"custom.h{uuid4().hex[:10]}"
        secret = f"{{{{ secrets.{name} }}}}"
        hooks: list[dict[str, Any]] = [
            {"url": f"{url}/{{{{ status }}}}", "headers": {_HEADER: secret}},
            {"url": f"{url}/{{{{ status }}}}?key={{{{ secrets.{name} | urlencode }}}}", "body": {"key": secret}},
            {"url": f"http://{OUTSIDE}:1/{{{{ secrets.{name} | urlencode }}}}", "body": secret},
        ]
        workflow = await ground.workflow(kind, *({"type": "webhook", "config": hook} for hook in hooks))
        used.append((workflow, kind))
    await ground.stack.settled()
    runs = (ground.run(workflow, kind, [{"status": status} for status in _STATUSES]) for workflow, kind in used)
    await asyncio.gather(*runs)


@asynccontextmanager
async def _echo() -> AsyncIterator[str]:
    """Run a destination outside that says back what it was sent, in every spelling, whole and cut."""

    async def say_back(request: web.Request) -> web.StreamResponse:
        secret = request.headers.get(_HEADER) or request.query.get("key", "")
        said = [one for text in spellings(secret).values() for one in (text, text[: len(text) // 2], text[5:-5])]
        body = "\n".join(said)
        headers = {"Location": f"http://{OUTSIDE}:1/{spellings(secret)['hex']}"}
        kind = "application/json" if len(request.path) % 2 else "text/plain"
        return web.Response(status=int(request.match_info["status"]), text=body, headers=headers, content_type=kind)

    app = web.Application()
    app.router.add_route("*", "/{status}", say_back)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, OUTSIDE, 0).start()
    try:
        yield f"http://{OUTSIDE}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _ask_for_all(ground: Ground) -> None:
    for path in (
        "executions?limit=200",
        "executions/waiting?limit=200",
        "queue",
        "dead-letters",
        "secrets",
        "workflows",
    ):
        await ground.call("GET", f"/api/v1/{path}")


async def _kept(ground: Ground) -> list[tuple[str, list[str]]]:
    stack = ground.stack
    topics = [spec.name for spec in declare(stack.settings, REGISTRY.names())]
    records = await read_all(stack.bootstrap, *topics)
    on_topics = [b" ".join(filter(None, (one.key, one.value))).decode(errors="replace") for one in records]
    metrics = (await ground.call("GET", "/metrics")).text
    return [
        ("secrets in logs", list(_logs(stack.home))),
        ("secrets on topics", on_topics),
        ("secrets in tables", await _rows(stack.database_url)),
        ("secrets in metrics", [metrics]),
        ("secrets in answers", ground.answers),
    ]


def _logs(home: Path) -> Iterator[str]:
    for path in home.rglob("*.log"):
        yield path.read_text(errors="replace")


async def _rows(url: str) -> list[str]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        tables = await (await connection.execute(_TABLES)).fetchall()
        found = []
        for schema, table in tables:
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table))
            found += [row[0] async for row in await connection.execute(query)]
    return found


async def _search(where: str, texts: list[str], values: dict[str, str]) -> Check:
    check, everything = Check(where), "\x00".join(texts)
    for name, value in values.items():
        found = await asyncio.to_thread(_found, everything, value)
        for spelling in spellings(value):
            check.note(f"{name}: a piece of it, {spelling}: {found.get(spelling)}", held=spelling not in found)
    check.figures["MB searched"] = len(everything) / 1e6
    return check


def _found(text: str, value: str) -> dict[str, str]:
    """Return what stands around a piece of the secret, by spelling; the piece itself is not told."""
    found: dict[str, str] = {}
    for spelling, piece in pieces(value):
        at = -1 if spelling in found else text.find(piece)
        if at >= 0:
            found[spelling] = f"...{text[max(0, at - 80) : at]!r} <here>"
    return found
