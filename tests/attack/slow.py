"""Clients that take their time: headers that never end, bodies that never end, connections that never speak."""

import asyncio
import time
from typing import Final
from urllib.parse import urlsplit

import psutil

from tests.attack.ground import Ground
from tests.attack.report import Check

_CLIENTS: Final = 40
_BODY: Final = 8 * 1024 * 1024
_HELD_BACK: Final = 1024
_ENDED_WITHIN_S: Final = 45.0
_ANSWERS_WITHIN_S: Final = 2.0
_MOST_GROWTH: Final = 150 * 1024 * 1024


async def slow_clients_hold_nobody_up(ground: Ground) -> list[Check]:
    """Each kind of slow client, forty at once; meanwhile somebody else asks for their workflows."""
    unended_head = b"POST /api/v1/events HTTP/1.1\r\nHost: a\r\nX-Slow: "
    kinds = {
        "connections that never speak": b"",
        "headers that never end": unended_head,
        "bodies of 8 MB that never end, without a token": _body_of(""),
        "bodies of 8 MB that never end, by somebody who may send": _body_of(ground.token("admin")),
    }
    return [await _slow(ground, name, sent) for name, sent in kinds.items()]


def _body_of(token: str) -> bytes:
    head = f"POST /api/v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {_BODY}\r\n"
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"{head}{authorization}\r\n".encode() + b"[" + b" " * (_BODY - 1 - _HELD_BACK)


async def _slow(ground: Ground, name: str, sent: bytes) -> Check:
    check = Check(f"slow clients: {name}")
    process = psutil.Process(ground.stack.worker("admin").pid)
    before, began = process.memory_info().rss, time.monotonic()
    clients = [asyncio.create_task(_client(ground, sent)) for _ in range(_CLIENTS)]
    peak, slowest = before, 0.0
    while not all(client.done() for client in clients) and time.monotonic() - began < _ENDED_WITHIN_S + 5:
        asked = time.monotonic()
        answer = await ground.call("GET", "/api/v1/workflows", token=ground.token())
        slowest = max(slowest, time.monotonic() - asked)
        check.note(f"another's request: {answer.status}", held=answer.status == 200)
        peak = max(peak, process.memory_info().rss)
        await asyncio.sleep(0.5)
    for client in clients:
        ended = client.done() and client.result() <= _ENDED_WITHIN_S
        client.cancel()
        check.note(f"a slow client was still there after {_ENDED_WITHIN_S:g} s", held=ended)
    check.note(f"another waited {slowest:.1f} s", held=slowest <= _ANSWERS_WITHIN_S)
    check.note(f"memory grew by {(peak - before) >> 20} MiB", held=peak - before <= _MOST_GROWTH)
    check.figures |= {"another waited at most, s": slowest, "memory grew by, MiB": (peak - before) / 2**20}
    return check


async def _client(ground: Ground, sent: bytes) -> float:
    """Send, then wait to be hung up on; returns seconds until then."""
    began, place = time.monotonic(), urlsplit(ground.stack.api.base_url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(sent)
        await writer.drain()
        while await reader.read(65536):
            pass
    except ConnectionError:
        pass  # hung up on: that is what it waits for
    finally:
        writer.close()
    return time.monotonic() - began
