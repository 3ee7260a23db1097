"""Secrets, sent to destinations that echo them in eight spellings; then a search of all that is kept and told."""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import aiohttp
import psycopg
from psycopg import sql

from app.actions.registry import REGISTRY
from app.topics import declare
from tests.attack.ground import Ground
from tests.attack.hunt_uses import all_asked_for, all_used
from tests.attack.report import Check
from tests.attack.spellings import pieces, spellings
from tests.support.topic_records import read_all

_WORD: Final = 4
_TABLES: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


async def no_secret_is_kept(ground: Ground) -> list[Check]:
    """Plant, use, be echoed, fail in every way; then look at every log, topic, table, metric and answer."""
    tables: list[str] = []

    async def in_an_outage() -> None:
        await all_asked_for(ground)
        tables.extend(await _rows(ground.stack.database_url))

    counts = await all_used(ground, in_an_outage)
    await all_asked_for(ground)
    kept = await _kept(ground)
    kept["secrets in tables"] += tables
    values = ground.echoes.planted.everything
    told = _repeated(ground)
    told.figures |= {"secrets": len(values), **counts}
    return [told, *[await _search(where, texts, values) for where, texts in kept.items()]]


def _repeated(ground: Ground) -> Check:
    """See that the hunt had something to find: destinations were sent the secrets, and repeated them."""
    check, planted = Check("secrets that destinations repeated"), ground.echoes.planted
    expected = [("webhook", name) for name in planted.workflows] + [("mail", name) for name in planted.workflows]
    expected += [("mail", "SMTP_PASSWORD"), ("provider", "TWILIO_AUTH_TOKEN"), ("provider", "WHATSAPP_ACCESS_TOKEN")]
    for who, name in expected:
        held = (who, planted.everything[name]) in ground.echoes.repeated
        check.note(f"{name} was never repeated by {who}", held=held)
    return check


async def _kept(ground: Ground) -> dict[str, list[str]]:
    stack = ground.stack
    topics = [spec.name for spec in declare(stack.settings, REGISTRY.names())]
    on_topics = [
        b" ".join(filter(None, (one.key, one.value, *(data for _, data in one.headers)))).decode(errors="replace")
        for one in await read_all(stack.bootstrap, *topics)
    ]
    return {
        "secrets in logs": list(_logs(stack.home)),
        "secrets on topics": on_topics,
        "secrets in tables": await _rows(stack.database_url),
        "secrets in metrics": await _metrics(ground),
        "secrets in answers": ground.answers,
    }


def _logs(home: Path) -> Iterator[str]:
    """Yield the roles' logs, which hold their standard output and error."""
    for path in (*home.rglob("*.log"), *home.rglob("*.log.1")):
        yield path.read_text(errors="replace")


async def _metrics(ground: Ground) -> list[str]:
    """Return the pages of the API and of every worker."""
    texts = [(await ground.call("GET", "/metrics")).text]
    for port in ground.metrics_ports:
        async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{port}/metrics") as answer:
            texts.append(await answer.text())
    assert all("headrace_" in text for text in texts)
    return texts


async def _rows(url: str) -> list[str]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        tables = await (await connection.execute(_TABLES)).fetchall()
        found = []
        for schema, table in tables:
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table))
            rows = [str(row[0]) async for row in await connection.execute(query)]
            # Bytes are shown in hex: what they say is looked at as text, too.
            found += rows + [data.decode(errors="replace") for row in rows for data in _bytes(row)]
    return found


def _bytes(row: str) -> Iterator[bytes]:
    for part in row.split("\\x")[1:]:
        digits = part[: len(part) - len(part.lstrip("0123456789abcdef"))]
        yield bytes.fromhex(digits[: len(digits) // 2 * 2])


async def _search(where: str, texts: list[str], values: Mapping[str, str]) -> Check:
    check, everything = Check(where), "\x00".join(texts).encode(errors="replace")
    found = await asyncio.to_thread(_found, everything, values)
    for name, value in values.items():
        for spelling in spellings(value):
            said = found.get((name, spelling))
            check.note(f"{name}: a piece of it, {spelling}: {said}", held=said is None)
    check.figures["MB searched"] = len(everything) / 1e6
    return check


def _found(data: bytes, values: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return what stands before a piece of a secret, by its name and the spelling; the piece itself is not told.

    One pass for all pieces: each, wherever it stands, holds a word of four bytes at a place that four divides.
    """
    wanted = {piece.encode(): (name, spelling) for name, value in values.items() for spelling, piece in pieces(value)}
    words = {piece[at : at + _WORD] for piece in wanted for at in range(len(piece) - _WORD + 1)}
    known, lengths = {int.from_bytes(word, sys.byteorder) for word in words}, {len(piece) for piece in wanted}
    longest, found = max(lengths), dict[tuple[str, str], str]()
    for index, word in enumerate(memoryview(data[: len(data) // _WORD * _WORD]).cast("I")):
        if word in known:
            begin = max(0, index * _WORD + _WORD - longest)
            for at in range(begin, index * _WORD + 1):
                for whose in filter(None, (wanted.get(data[at : at + length]) for length in lengths)):
                    before = data[max(0, at - 80) : at].decode(errors="replace")
                    found.setdefault(whose, f"...{before!r} <here>")
    return found
