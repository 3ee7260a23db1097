"""What uses the planted secrets, in every way that fails: echoes, an outage, retries, dead letters; and who asks."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID, uuid4

import orjson
import psycopg

from app.adapters.kafka.producer import KafkaSender
from app.domain.callers import PERMISSIONS
from app.domain.kafka_connection import KafkaConnection
from tests.attack.echoes import HEADER, OUTSIDE
from tests.attack.ground import Ground
from tests.support.topic_records import read_all
from tests.support.waiting import eventually

_STATUSES: Final = (200, 302, 404, 503)
_PARKED: Final = 20
_CHANNELS: Final = 6
_LETTERS: Final = 5
_DONE_WITHIN_S: Final = 240.0
_AGAIN: Final = "SELECT count(*) FROM automation_logs WHERE id = ANY(%s) AND attempt > 1"
_STARTED: Final = "SELECT id FROM automation_logs WHERE automation_id = ANY(%s)"
_LISTS: Final = (
    "executions?limit=200",
    "executions/waiting?limit=200",
    "queue",
    "dead-letters",
    "secrets",
    "channels",
    "workflows",
)
Used = dict[UUID, str]


async def all_used(ground: Ground, in_an_outage: Callable[[], Awaitable[None]]) -> dict[str, float]:
    """Store the secrets, run what uses them, look during the outage, retry, and break records; returns how many."""
    await _store(ground)
    echoed = await _made(ground, _echoing)
    down = await _made(ground, _of_an_outage)
    told = await _channels(ground)
    await ground.stack.settled()
    running = [asyncio.create_task(_run(ground, used)) for used in (echoed, down, told)]
    parked = await _parked(ground)
    await in_an_outage()
    await asyncio.gather(*running)
    executions = await _executions(ground, [*echoed, *down, *told])
    retried = await _retried(ground, executions)
    letters = await _broken_records(ground)
    for execution in executions:
        await ground.call("GET", f"/api/v1/executions/{execution}")
    return {"executions": len(executions), "parked": parked, "retried": retried, "dead letters": letters}


async def all_asked_for(ground: Ground) -> None:
    """Ask for every list, as an administrator and as somebody with all permissions; and for each dead letter."""
    for token in (ground.token("admin"), ground.token("user", *PERMISSIONS)):
        for path in _LISTS:
            await ground.call("GET", f"/api/v1/{path}", token=token)
        letters = await ground.call("GET", "/api/v1/dead-letters?limit=100", token=token)
        for letter in letters.json.get("items", []):
            await ground.call("GET", f"/api/v1/dead-letters/{letter['number']}", token=token)


async def _store(ground: Ground) -> None:
    for name, value in ground.echoes.planted.workflows.items():
        body = {"value": value, "owners": ["*"], "workflows": ["*"], "hosts": ["*"]}
        answer = await ground.call("PUT", f"/api/v1/secrets/{name}", body)
        assert answer.status == 200, answer.text


def _echoing(ground: Ground, name: str) -> Iterator[dict[str, Any]]:
    """Yield actions whose destinations repeat the secret: webhooks, mail, both message providers."""
    secret, url = f"{{{{ secrets.{name} }}}}", ground.echoes.url
    for hook in (
        {"url": f"{url}/{{{{ status }}}}", "headers": {HEADER: f"{{{{ secrets.{name} | urlencode }}}}"}},
        {"url": f"{url}/{{{{ status }}}}?key={{{{ secrets.{name} | urlencode }}}}", "body": {"key": secret}},
    ):
        yield {"type": "webhook", "config": hook}
    yield {"type": "send_email", "config": {"to": ["a@b.example"], "subject": "x", "text": secret}}
    yield {"type": "send_email", "config": {"to": [f"{secret}@b.example"], "subject": f"x {secret}", "text": "x"}}
    for kind in ("send_sms", "send_whatsapp"):
        yield {"type": kind, "config": {"to": "+49 30 123456", "text": secret}}


def _of_an_outage(_: Ground, name: str) -> Iterator[dict[str, Any]]:
    """Yield webhooks to what does not answer, the secret in the path, the query, the host."""
    encoded = f"{{{{ secrets.{name} | urlencode }}}}"
    for url in (
        f"http://{OUTSIDE}:1/{encoded}?key={encoded}",
        f"http://{encoded}.example/{encoded}",
        f"http://x{{{{ secrets.{name} }}}}.example/",
    ):
        yield {"type": "webhook", "config": {"url": url, "body": f"{{{{ secrets.{name} }}}}"}}


async def _made(ground: Ground, actions: Callable[[Ground, str], Iterator[dict[str, Any]]]) -> Used:
    used: Used = {}
    for name in ground.echoes.planted.workflows:
        kind = f"custom.h{uuid4().hex[:10]}"
        used[await ground.workflow(kind, *actions(ground, name))] = kind
    return used


async def _channels(ground: Ground) -> Used:
    """Make channels whose URLs hold a secret, and a workflow for each."""
    used: Used = {}
    place = ground.echoes.url.removeprefix("http://")
    for name, value in list(ground.echoes.planted.workflows.items())[:_CHANNELS]:
        secret, kind, channel = quote(value, safe=""), f"custom.n{uuid4().hex[:10]}", name.lower().replace("_", "-")
        status = _STATUSES[len(used) % len(_STATUSES)]
        draft = {"name": channel, "url": f"json://ada:{secret}@{place}/{status}/{secret}?+{HEADER}={secret}"}
        answer = await ground.call("POST", "/api/v1/channels", {**draft, "owners": ["*"]})
        assert answer.status == 201, answer.text
        config = {"channel": channel, "title": "t", "body": "b"}
        used[await ground.workflow(kind, {"type": "send_notification", "config": config})] = kind
    return used


async def _run(ground: Ground, used: Used) -> None:
    data = [{"status": status} for status in _STATUSES]
    runs = (ground.run(workflow, kind, data, within=_DONE_WITHIN_S) for workflow, kind in used.items())
    await asyncio.gather(*runs)


async def _parked(ground: Ground) -> int:
    """Wait for commands that wait for breakers; returns how many there are."""
    async with await psycopg.AsyncConnection.connect(ground.stack.database_url, autocommit=True) as connection:

        async def waiting() -> int:
            row = await (await connection.execute("SELECT count(*) FROM timers WHERE kind = 'circuit'")).fetchone()
            return int(row[0]) if row and row[0] >= _PARKED else 0

        return int(await eventually(waiting, within=60, every=0.5, what="commands that wait for a breaker"))


async def _executions(ground: Ground, workflows: list[UUID]) -> list[UUID]:
    async with await psycopg.AsyncConnection.connect(ground.stack.database_url, autocommit=True) as connection:
        return [row[0] async for row in await connection.execute(_STARTED, (workflows,))]


async def _retried(ground: Ground, executions: list[UUID]) -> int:
    """Retry some of what failed, and wait until the rows say so."""
    taken = []
    for execution in executions[:: max(1, len(executions) // 20)]:
        answer = await ground.call("POST", f"/api/v1/executions/{execution}/retry")
        taken += [execution] if answer.status == 202 else []
    assert taken
    async with await psycopg.AsyncConnection.connect(ground.stack.database_url, autocommit=True) as connection:

        async def again() -> bool:
            row = await (await connection.execute(_AGAIN, (taken,))).fetchone()
            return row == (len(taken),)

        await eventually(again, within=_DONE_WITHIN_S, every=0.5, what=f"{len(taken)} executions again")
    return len(taken)


async def _broken_records(ground: Ground) -> int:
    """Send commands of the hunt again, broken in the middle or for no step that there is: dead letters follow."""
    topics = ground.stack.topics
    topic = topics.actions("webhook", "normal")
    found = [one for one in await read_all(ground.stack.bootstrap, topic) if b"PLANTED" in (one.value or b"")]
    broken = []
    for one in found[:_LETTERS]:
        value = one.value or b""
        without = {**orjson.loads(value), "step": 99}
        broken += [replace(one, value=value[: len(value) // 2]), replace(one, value=orjson.dumps(without))]
    assert broken
    async with KafkaSender(KafkaConnection(ground.stack.bootstrap), client_id="attack") as sender:
        assert not any(await sender.deliver(broken))

    async def told() -> bool:
        letters = await ground.call("GET", "/api/v1/dead-letters?limit=100")
        return len(letters.json["items"]) >= len(broken)

    await eventually(told, within=60, every=1.0, what="dead letters")
    return len(broken)
