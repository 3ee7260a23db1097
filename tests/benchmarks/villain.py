"""A user who does his worst: everything that one token, its rate and its quotas allow, all at once.

His requests come from a process of his own, as they would: what they cost him must not keep the other's events back.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import orjson

from app.admin.auth import mint_token
from tests.support.stack import Stack

_ENDLESS: Final = (
    "{% for a in many %}{% for b in many %}{% if {}[many] is defined %}{% endif %}{% endfor %}{% endfor %}"
)
# Some 150 to 200 ms each: below the wall, so that no penalty meets them.
_BELOW: Final = "{% for i in range(9999) %}{% if nowhere.a.b.c is defined %}{% endif %}{% endfor %}" * 8
_NESTED: Final = [{"any": [{"field": "many", "operator": "in", "value": [{"json": {"n": n}}]} for n in range(90)]}]
_SLOW: Final = 60
_BODY: Final = 8 * 1024 * 1024
_SPACES: Final = b" " * (_BODY - 1024)


@dataclass(frozen=True, slots=True)
class Asking:
    """What his requests need to know.

    Attributes:
        base_url: Of the API.
        token: His.
        kind: An event type of the other's.
        workflows: His.
    """

    base_url: str
    token: str
    kind: str
    workflows: list[str]


class Requests:
    """His requests, with everything that he was answered; for one event loop.

    Attributes:
        answers: How often he got which status.
    """

    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = base_url
        self._token = token
        self._http: aiohttp.ClientSession | None = None
        self.answers: Counter[int] = Counter()

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(self._base_url, headers={"Authorization": f"Bearer {self._token}"})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def call(self, method: str, path: str, body: Any = None, *, patient: bool = True, **headers: str) -> Any:
        """Call; where he asks too often he waits for as long as he is told, or is not ``patient``."""
        assert self._http is not None
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        while True:
            async with self._http.request(method, path, json=body, headers=named) as answer:
                self.answers[answer.status] += 1
                said = await answer.json(content_type=None) if answer.status != 204 else {}
                if answer.status != 429 or not patient:
                    return said
                await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))

    async def all_at_once(self, asking: Asking) -> None:
        """Do his worst until cancelled."""
        await asyncio.gather(
            self._events(asking), self._dry_runs(asking), self._executes(asking), *map(self._holds_back, range(_SLOW))
        )

    async def _events(self, asking: Asking) -> None:
        kind = asking.kind
        event = {"specversion": "1.0", "source": "/shop", "type": kind, "subject": "c", "data": {}}
        while True:
            await self.call("POST", "/api/v1/events", [{**event, "id": uuid4().hex} for _ in range(500)], patient=False)
            await asyncio.sleep(0.1)

    async def _dry_runs(self, asking: Asking) -> None:
        action = {"type": "apply_tag", "order": 1, "config": {"tag": _ENDLESS}}
        draft = {"name": "worst", "trigger": {"type": asking.kind}, "actions": [action]}
        data = {"many": list(range(20_000)), "text": "x" * 60_000}
        while True:
            await self.call(
                "POST", "/api/v1/workflows/test", {"workflow": draft, "event": {"data": data}}, patient=False
            )
            await asyncio.sleep(0.1)

    async def _executes(self, asking: Asking) -> None:
        while True:
            for workflow in reversed(asking.workflows):
                path, data = f"/api/v1/workflows/{workflow}/execute", {"many": list(range(20_000))}
                await self.call("POST", path, {"data": data}, patient=False)
                await asyncio.sleep(0.1)

    async def _holds_back(self, _: int) -> None:
        """Send nearly all of a large body, and wait to be hung up on; again and again."""
        place = urlsplit(self._base_url)
        head = f"POST /api/v1/workflows HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {self._token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {_BODY}\r\n\r\n"
        nearly_all = head.encode() + _SPACES  # once: it is his machine's work, not ours
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection(place.hostname, place.port)
                try:
                    writer.write(nearly_all)
                    await writer.drain()
                    while await reader.read(65536):
                        pass
                finally:
                    writer.close()
            await asyncio.sleep(1)


class Villain:
    """His workflows, and the process that asks in his name.

    Args:
        stack: Where he is a user.
        url: The destination that everybody's webhooks go to.
        types: The event types of the others.
        loops: How many of his workflows set each other off.

    Attributes:
        stack: The installation.
        answers: How often he got which status.
        refusals: Why drafts of his were not taken.
    """

    def __init__(self, stack: Stack, url: str, types: list[str], *, loops: int) -> None:
        self.stack = stack
        self._url = url
        self._types = types
        self._workflows: list[str] = []
        self._loops: list[str] = []
        self._chain = loops
        self._token = mint_token(stack.settings, uuid4(), "user", 7200)
        self._requests = Requests(stack.api.base_url, self._token)
        self.answers = self._requests.answers
        self.refusals: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        await self._requests.__aenter__()
        for kind in self._types:
            for number in range(self.stack.settings.active_per_trigger):
                conditions = _NESTED if number % 10 == 9 else []
                await self._make(kind, [_action(number, self._url)], conditions)
        for _ in range(self._chain):
            await self._make("tag.applied", _LOOP, [])
        if not self._workflows:
            raise RuntimeError(f"he has no workflow: {self.answers} {self.refusals}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._requests.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def at_his_worst(self) -> AsyncIterator[None]:
        """Keep at it for the length of the block.

        What the victim's tags set off is switched on for it: the rest is on event types of these turns alone.
        """
        await self._switch("activate")
        asking = Asking(self.stack.api.base_url, self._token, self._types[0], self._workflows)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.benchmarks.villain",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        process.stdin.write(orjson.dumps(asdict(asking)) + b"\n")
        await process.stdin.drain()
        try:
            yield
        finally:
            process.stdin.close()  # which ends it
            said, _ = await process.communicate()
            self.answers.update({int(status): count for status, count in orjson.loads(said or b"{}").items()})
            await self._switch("deactivate")

    async def _switch(self, to: str) -> None:
        for workflow in self._loops:
            await self._requests.call("POST", f"/api/v1/workflows/{workflow}/{to}", If_Match="*")

    async def _make(self, kind: str, actions: list[dict[str, Any]], conditions: list[dict[str, Any]]) -> None:
        ordered = [{"order": order, **action} for order, action in enumerate(actions, 1)]
        draft = {"name": "worst", "trigger": {"type": kind}, "actions": ordered}
        made = await self._requests.call("POST", "/api/v1/workflows", {**draft, "conditions": conditions})
        if "id" in made:
            self._workflows.append(made["id"])
            if kind == "tag.applied":
                self._loops.append(made["id"])
            else:
                await self._requests.call("POST", f"/api/v1/workflows/{made['id']}/activate", If_Match="*")
        else:
            self.refusals[str(made.get("errors") or made.get("detail"))[:200]] += 1


# Each of its tags is an event for all of them.
_LOOP: Final = [
    {"type": "apply_tag", "config": {"tag": "t{{ execution.id }}"}},
    {"type": "delay", "config": {"duration": "1 second"}},
    {"type": "create_note", "config": {"text": _BELOW}},
]


def _action(number: int, url: str) -> dict[str, Any]:
    return (
        {"type": "webhook", "config": {"url": f"{url}/fails", "timeout_s": 1}},
        {"type": "webhook", "config": {"url": f"{url}/hangs", "timeout_s": 1}},
        {"type": "webhook", "config": {"url": f"{url}/hangs", "timeout_s": 30}},
        {"type": "apply_tag", "config": {"tag": _ENDLESS}},
        {"type": "apply_tag", "config": {"tag": "a" + _BELOW}},
        {"type": "send_email", "config": {"to": "a@example.com", "subject": _ENDLESS, "text": "t"}},
        {"type": "send_email", "config": {"to": "a@example.com", "subject": "s", "text": "b" + _BELOW}},
        {"type": "webhook", "config": {"url": f"{url}/good", "body": {"t": _ENDLESS}}},
        {"type": "webhook", "config": {"url": f"{url}/good", "body": {"t": "c" + _BELOW}}},
        {"type": "create_note", "config": {"text": "{{ event.id }}"}},
    )[number % 10]


async def _ask() -> None:
    """Do his worst until the input ends; prints what he was answered."""
    lines = asyncio.StreamReader(limit=1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    asking = Asking(**orjson.loads(await lines.readline()))
    async with Requests(asking.base_url, asking.token) as requests:
        worst = asyncio.create_task(requests.all_at_once(asking))
        ended = asyncio.create_task(lines.read())
        await asyncio.wait((worst, ended), return_when=asyncio.FIRST_COMPLETED)
        if worst.done():
            worst.result()  # raises: it has no end
        worst.cancel()
        await asyncio.gather(worst, return_exceptions=True)
        sys.stdout.buffer.write(orjson.dumps({str(status): count for status, count in requests.answers.items()}))


if __name__ == "__main__":
    asyncio.run(_ask())
