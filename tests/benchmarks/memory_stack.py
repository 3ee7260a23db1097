"""The embedded whole of a clone as ``headrace up`` runs it, and a load that reaches every role."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg

from app.commands.api_client import ApiClient
from app.processes.running import running_state
from app.settings import Settings
from app.topics import Topics
from tests.benchmarks.measure import Rows
from tests.benchmarks.sending import send
from tests.support.waiting import eventually

_READY_WITHIN_S: Final = 180.0
_ROWS_WITHIN_S: Final = 240.0
_TAKES_EFFECT_S: Final = 3.0
_PREFIX: Final[str] = Settings.model_fields["topic_prefix"].default
_CHANNEL: Final = "bench"


@dataclass(frozen=True, slots=True)
class Whole:
    """What runs: the facts of ``up.json``."""

    facts: dict[str, Any]

    @property
    def pids(self) -> dict[str, int]:
        """Every process by its name; ``up`` is the supervisor."""
        return {**self.facts["roles"], "up": self.facts["pid"]}


@asynccontextmanager
async def running(tree: Path, home: Path) -> AsyncIterator[Whole]:
    """Run ``headrace up`` from the code in ``tree`` for as long as the block runs."""
    log = home / "up.log"
    environment = {**os.environ, "HEADRACE_HOME": str(home), "PYTHONPATH": str(tree)}
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: ASYNC220 - returns at once; our own command
            [sys.executable, "-m", "app.cli", "up", "--no-demo"], cwd=tree, env=environment, stdout=out, stderr=out
        )

    async def ready() -> bool:
        assert process.poll() is None, log.read_text()
        return bool((running_state(home) or {}).get("ready"))

    try:
        await eventually(ready, within=_READY_WITHIN_S, every=0.5, what="headrace up")
        yield Whole(running_state(home) or {})
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait)


async def load(whole: Whole, events: int, rate: float) -> None:
    """Send events, and wait until each has its row: a webhook, a tag, an e-mail, a channel, a delay."""
    api = ApiClient(whole.facts["api_url"], whole.facts["admin_token"])
    await asyncio.to_thread(_prepare, api, whole.facts["receiver_url"])
    workflow = await asyncio.to_thread(api.call, "POST", "/api/v1/workflows", _draft(whole.facts["receiver_url"]))
    await asyncio.to_thread(api.call, "POST", f"/api/v1/workflows/{workflow['id']}/activate")
    await asyncio.sleep(_TAKES_EFFECT_S)
    topic = Topics(_PREFIX).events("order.paid")
    sent = await send(whole.facts["kafka"], topic, events, rate, run="memory")
    ids = sent.ids(UUID(workflow["id"]))
    async with await psycopg.AsyncConnection.connect(whole.facts["database_url"], autocommit=True) as connection:
        rows = Rows(connection)

        async def all_there() -> bool:
            return await rows.count(ids) == len(ids)

        await eventually(all_there, within=_ROWS_WITHIN_S, every=0.5, what="every row")


def _prepare(api: ApiClient, receiver_url: str) -> None:
    url = f"{receiver_url.replace('http://', 'json://')}/channel"
    api.call("POST", "/api/v1/channels", {"name": _CHANNEL, "url": url})


def _draft(receiver_url: str) -> dict[str, Any]:
    mail = {"to": ["{{ customer.id }}@example.com"], "subject": "Thanks", "text": "You paid {{ order.total }}."}
    steps = [
        ("webhook", {"url": f"{receiver_url}/paid", "body": {"order": "{{ order.id }}"}}),
        ("apply_tag", {"tag": "paid"}),
        ("send_email", mail),
        ("send_notification", {"channel": _CHANNEL, "title": "Paid", "body": "{{ order.id }}"}),
        ("delay", {"duration": "1s"}),
    ]
    actions = [{"type": kind, "order": place, "config": config} for place, (kind, config) in enumerate(steps, 1)]
    condition = {"field": "order.total", "operator": ">", "value": 100}
    trigger = {"type": "order.paid"}
    return {"name": "Every role", "trigger": trigger, "conditions": [condition], "actions": actions}
