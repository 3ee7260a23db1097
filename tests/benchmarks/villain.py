"""A user who does his worst: everything that one token, its rate and its quotas allow, all at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp

from app.admin.auth import mint_token
from tests.support.stack import Stack

_WORKFLOWS_A_TYPE: Final = 50
_ENDLESS: Final = (
    "{% for a in many %}{% for b in many %}{% if {}[many] is defined %}{% endif %}{% endfor %}{% endfor %}"
)
# Some 150 to 200 ms each: below the wall, so that no penalty meets them.
_BELOW: Final = "{% for i in range(9999) %}{% if nowhere.a.b.c is defined %}{% endif %}{% endfor %}" * 8
_NESTED: Final = [{"any": [{"field": "many", "operator": "contains", "value": {"json": [n]}} for n in range(90)]}]
_SLOW: Final = 60
_BODY: Final = 8 * 1024 * 1024


class Villain:
    """His workflows, and his requests.

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
        self._http: aiohttp.ClientSession | None = None
        self.answers: Counter[int] = Counter()
        self.refusals: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        headers = {"Authorization": f"Bearer {self._token}"}
        self._http = aiohttp.ClientSession(self.stack.api.base_url, headers=headers)
        for kind in self._types:
            for number in range(_WORKFLOWS_A_TYPE):
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
        if self._http is not None:
            await self._http.close()

    @asynccontextmanager
    async def at_his_worst(self) -> AsyncIterator[None]:
        """Keep at it for the length of the block.

        What the victim's tags set off is switched on for it: the rest is on event types of these turns alone.
        """
        await self._switch("activate")
        acts = [self._events(), self._dry_runs(), self._executes(), *(self._holds_back() for _ in range(_SLOW))]
        tasks = [asyncio.create_task(act) for act in acts]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._switch("deactivate")

    async def _switch(self, to: str) -> None:
        for workflow in self._loops:
            await self._call("POST", f"/api/v1/workflows/{workflow}/{to}", If_Match="*")

    async def _make(self, kind: str, actions: list[dict[str, Any]], conditions: list[dict[str, Any]]) -> None:
        ordered = [{"order": order, **action} for order, action in enumerate(actions, 1)]
        draft = {"name": "worst", "trigger": {"type": kind}, "actions": ordered}
        made = await self._call("POST", "/api/v1/workflows", {**draft, "conditions": conditions})
        if "id" in made:
            self._workflows.append(made["id"])
            if kind == "tag.applied":
                self._loops.append(made["id"])
            else:
                await self._call("POST", f"/api/v1/workflows/{made['id']}/activate", If_Match="*")
        else:
            self.refusals[str(made.get("errors") or made.get("detail"))[:200]] += 1

    async def _call(self, method: str, path: str, body: Any = None, *, patient: bool = True, **headers: str) -> Any:
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

    async def _events(self) -> None:
        kind = self._types[0]
        event = {"specversion": "1.0", "source": "/shop", "type": kind, "subject": "c", "data": {}}
        while True:
            await self._call(
                "POST", "/api/v1/events", [{**event, "id": uuid4().hex} for _ in range(500)], patient=False
            )
            await asyncio.sleep(0.1)

    async def _dry_runs(self) -> None:
        action = {"type": "apply_tag", "order": 1, "config": {"tag": _ENDLESS}}
        draft = {"name": "worst", "trigger": {"type": self._types[0]}, "actions": [action]}
        data = {"many": list(range(20_000)), "text": "x" * 60_000}
        while True:
            await self._call(
                "POST", "/api/v1/workflows/test", {"workflow": draft, "event": {"data": data}}, patient=False
            )
            await asyncio.sleep(0.1)

    async def _executes(self) -> None:
        while True:
            for workflow in reversed(self._workflows):
                path, data = f"/api/v1/workflows/{workflow}/execute", {"many": list(range(20_000))}
                await self._call("POST", path, {"data": data}, patient=False)
                await asyncio.sleep(0.1)

    async def _holds_back(self) -> None:
        """Send nearly all of a large body, and wait to be hung up on; again and again."""
        place = urlsplit(self.stack.api.base_url)
        head = f"POST /api/v1/workflows HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {self._token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {_BODY}\r\n\r\n"
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection(place.hostname, place.port)
                try:
                    writer.write(head.encode() + b" " * (_BODY - 1024))
                    await writer.drain()
                    while await reader.read(65536):
                        pass
                finally:
                    writer.close()
            await asyncio.sleep(1)


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
