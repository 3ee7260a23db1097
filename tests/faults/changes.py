"""Workflow changes that flow while things break: each one that the API has answered must be in force in the end.

Workflows live short lives, one after another, so that the last change of some workflow lies close to every fault. A
change that the outbox, its relay or the matchers' table lost then shows in what events start afterwards.
"""

import asyncio
import sys
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID, uuid4

import aiohttp
import psycopg

from app.domain.errors import UnreachableError
from app.services.ingest.emitter import EventEmitter
from tests.faults.judge import Verdict
from tests.faults.pace import STEADY, Pace
from tests.support.api import Api, ApiError
from tests.support.stack import Stack
from tests.support.waiting import eventually

RATE: Final = 4.0
ENTITIES: Final = 16
_CREATE: Final = "create"
_LIVES: Final = (
    ("activate",),
    ("activate", "edit"),
    ("activate", "edit", "deactivate"),
    ("activate", "delete"),
    ("activate", "edit", "deactivate", "activate"),
    ("activate", "move"),
)
_AT_ONCE: Final = 3  # that many lives overlap, roughly
_PAUSE_S: Final = 0.2
_SHOWN_WITHIN_S: Final = 60.0
_ROWS: Final = "SELECT automation_id, version, event_id FROM automation_logs WHERE event_type = %s"


def script(changes: int) -> list[tuple[int, str]]:
    """Return the changes in order: number of the life, and what is done."""
    steps = [
        (life + _AT_ONCE * place, life, verb)
        for life in range(changes)
        for place, verb in enumerate((_CREATE, *_LIVES[life % len(_LIVES)]))
    ]
    return [(life, verb) for _, life, verb in sorted(steps)[:changes]]


@dataclass(slots=True)
class Known:
    """What the API's last answer says of one workflow: its version, and whether our events are to start it."""

    version: int
    runs: bool = False


@dataclass(slots=True)
class Changes:
    """The changes of one run.

    Args:
        name: Makes the event type unique: nothing but the probes at the end has it.
    """

    name: str
    answered: int = 0
    known: dict[UUID, Known] = field(default_factory=dict)
    _ids: dict[int, UUID] = field(default_factory=dict)

    @property
    def event_type(self) -> str:
        """What the workflows wait for."""
        return f"custom.{self.name}-changes"

    async def flow(self, api: Api, seconds: float, pace: Pace = STEADY) -> None:
        """Make changes for about ``seconds`` of load; one that is not answered is asked for again."""
        clock = asyncio.get_running_loop().time
        started = clock()
        for tick, (life, verb) in enumerate(script(int(seconds * RATE))):
            await asyncio.sleep(max(0.0, started + pace.elapsed(tick / RATE) - clock()))
            await self._create(api, life) if verb == _CREATE else await self._change(api, self._ids[life], verb)
            self.answered += 1

    async def _create(self, api: Api, life: int) -> None:
        created = await _answered(api, "POST", "/api/v1/workflows", self._draft(life))
        self._ids[life] = UUID(created["id"])
        self.known[self._ids[life]] = Known(created["version"])

    async def _change(self, api: Api, workflow: UUID, verb: str) -> None:
        path, known = f"/api/v1/workflows/{workflow}", self.known[workflow]
        match verb:
            case "activate" | "deactivate":
                answer = await _answered(api, "POST", f"{path}/{verb}")
                known.runs = verb == "activate"
            case "edit":
                answer = await _answered(
                    api, "PATCH", f"{path}?publish=true", {"name": f"edited {uuid4()}"}, If_Match="*"
                )
            case "move":
                elsewhere = {"trigger": {"type": f"{self.event_type}-elsewhere"}}
                answer = await _answered(api, "PATCH", f"{path}?publish=true", elsewhere, If_Match="*")
                known.runs = False
            case _:
                answer = await _answered(api, "DELETE", path)
                known.runs = False
        if answer is not None:
            known.version = answer["version"]

    def _draft(self, life: int) -> dict[str, Any]:
        never = [{"field": "event.type", "operator": "==", "value": "never"}]
        action = {"type": "stop_workflow", "order": 1, "config": {}}
        trigger = {"type": self.event_type}
        return {"name": f"life {life}", "trigger": trigger, "conditions": never, "actions": [action]}

    async def judge(self, verdict: Verdict, stack: Stack) -> None:
        """Emit events that show which workflows the matcher knows, and count each that is not as answered as lost."""
        verdict.changes = self.answered
        try:
            await stack.settled()
        except AssertionError as error:
            verdict.lost += 1
            verdict.blame(f"changes made after the faults do not arrive: {error}")
            return
        found = await self._started(stack)
        for workflow, known in self.known.items():
            expected = {known.version: ENTITIES} if known.runs else {}
            if found[workflow] != expected:
                verdict.lost += 1
                verdict.blame(f"workflow {workflow} ran as {dict(found[workflow])} (version: times), not {expected}")

    async def _started(self, stack: Stack) -> dict[UUID, Counter[int]]:
        """Return how often each workflow was started, by version.

        Each entity has two events, and the steps of an entity keep their order: once all that the second ones start
        is in the log, so is everything that the first ones started, and those are counted.
        """
        first, second = self._probes(), self._probes()
        emitted = partial(_emitted, stack.emitter, [*first, *second])
        await eventually(emitted, within=_SHOWN_WITHIN_S, what="Kafka to take the last events")
        wanted = len(second) * sum(known.runs for known in self.known.values())
        async with await psycopg.AsyncConnection.connect(stack.database_url, autocommit=True) as connection:
            rows = partial(_rows, connection, self.event_type)
            try:
                complete = partial(_hold, rows, {event["id"] for event in second}, wanted)
                await eventually(complete, within=_SHOWN_WITHIN_S, every=0.25, what="the executions of the last events")
            except AssertionError as error:
                sys.stderr.write(f"{error}\n")  # what is missing by now is judged as lost
            return _times(await rows(), {event["id"] for event in first})

    def _probes(self) -> list[dict[str, Any]]:
        return [
            {
                "specversion": "1.0",
                "id": str(uuid4()),
                "source": "/changes",
                "type": self.event_type,
                "subject": f"e{n}",
                "data": {},
            }
            for n in range(ENTITIES)
        ]


async def _answered(api: Api, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Ask until the API answers, through every outage; returns the JSON answer.

    A request whose answer was lost may have been carried out; each of ours comes to the same when it is sent again.
    """
    while True:
        try:
            answer, _ = await api.call(method, path, body, **headers)
        except ApiError as error:
            if method == "DELETE" and error.status == HTTPStatus.NOT_FOUND:
                return None
            if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
        except aiohttp.ClientError:
            pass  # the API is away; asked again below
        else:
            return answer
        await asyncio.sleep(_PAUSE_S)


async def _emitted(emitter: EventEmitter, events: list[dict[str, Any]]) -> bool:
    """Emit events; those that are emitted again are the same events."""
    try:
        await emitter.emit_many(events)
    except UnreachableError:
        return False
    return True


async def _rows(connection: psycopg.AsyncConnection[Any], event_type: str) -> list[tuple[UUID, int, str]]:
    return await (await connection.execute(_ROWS, (event_type,))).fetchall()


async def _hold(
    rows: Callable[[], Awaitable[list[tuple[UUID, int, str]]]], events: AbstractSet[str], wanted: int
) -> bool:
    return sum(event in events for _, _, event in await rows()) >= wanted


def _times(rows: Iterable[tuple[UUID, int, str]], events: AbstractSet[str]) -> dict[UUID, Counter[int]]:
    found: dict[UUID, Counter[int]] = defaultdict(Counter)
    for workflow, version, event in rows:
        if event in events:
            found[workflow][version] += 1
    return found
