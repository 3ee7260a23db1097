"""The installation that is observed: every role, a receiver of webhooks, an administrators' channel, a Prometheus."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg

from app.embedded.free_ports import HOST, pick_ports
from app.embedded.webhook_receiver import WebhookReceiver
from tests.observe.prometheus import Prometheus, prometheus
from tests.support.fake_secrets import KEY
from tests.support.stack import ROLES, Stack
from tests.support.waiting import eventually

SOURCE: Final = "/observe"
_SETTINGS: Final = {
    "HEADRACE_SECRETS_KEY": KEY,
    "CIRCUIT_BREAKER_TIMEOUT": "3000",
    "CIRCUIT_BREAKER_MAX_WAIT": "120000",
    "HEADRACE_WORKFLOW_CHECK_S": "3",
    "HEADRACE_EXECUTIONS_PER_MINUTE": "0",
}
_MODULES: Final = {
    "scheduler": "tests.observe.scheduler",
    "executor-system": "tests.support.faulty_worker",
}


@dataclass(slots=True)
class Ground:
    """What runs.

    Attributes:
        stack: The processes.
        prometheus: Scrapes them.
        receiver: Where webhooks go.
        channel: Where administrators are told.
        database: An administrator's connection.
        kinds: Event types by the name of what they start.
        workflows: The workflows, by the same names.
    """

    stack: Stack
    prometheus: Prometheus
    receiver: WebhookReceiver
    channel: WebhookReceiver
    database: psycopg.AsyncConnection[Any]
    kinds: dict[str, str] = field(default_factory=dict)
    workflows: dict[str, UUID] = field(default_factory=dict)

    async def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement as the administrator."""
        cursor = await self.database.execute(statement.encode(), values)
        return await cursor.fetchall() if cursor.description else []

    @asynccontextmanager
    async def another(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Open one more connection of the administrator's."""
        async with await psycopg.AsyncConnection.connect(self.stack.database_url, autocommit=True) as opened:
            yield opened

    async def workflow(
        self, name: str, *actions: dict[str, Any], conditions: list[dict[str, Any]] | None = None
    ) -> None:
        """Make a workflow of an event type of its own, and switch it on."""
        kind = f"custom.{name}-{uuid4().hex[:6]}"
        numbered = [{"order": order, **action} for order, action in enumerate(actions, 1)]
        draft = {"name": name, "trigger": {"type": kind}, "actions": numbered, "conditions": conditions or []}
        self.kinds[name], self.workflows[name] = kind, await self.stack.api.create_workflow(draft)

    async def emit(self, name: str, count: int = 1, **data: Any) -> None:
        """Emit events that start a workflow, an entity each."""
        await self.stack.emitter.emit_many([self._event(name, number, data) for number in range(count)])

    def _event(self, name: str, number: int, data: dict[str, Any]) -> dict[str, Any]:
        customer = uuid4().hex
        return {
            "specversion": "1.0",
            "id": uuid4().hex,
            "source": SOURCE,
            "type": self.kinds[name],
            "subject": customer,
            "data": {"order": {"total": number % 7}, "customer": {"id": customer}, **data},
        }

    async def ran(self, name: str, count: int, within: float = 90.0) -> None:
        """Wait until a workflow has so many rows that ran."""
        query = "SELECT count(*) FROM automation_logs WHERE automation_id = %s AND attempt > 0"

        async def enough() -> bool:
            return bool((await self.sql(query, self.workflows[name]))[0][0] >= count)

        await eventually(enough, within=within, every=0.5, what=f"{count} executions of {name}")

    def _news(self) -> Iterator[tuple[str, str]]:
        """Yield what administrators were told, in order: an alert, and FIRING or RESOLVED."""
        for delivery in self.channel.deliveries:
            said = delivery.json()
            assert isinstance(said, dict)
            for line in str(said["message"]).splitlines():
                words = line.replace(":", " ").split()
                if words and words[0] in {"FIRING", "RESOLVED"}:
                    yield next(word for word in words if word.startswith("Headrace")), words[0]

    def told(self) -> dict[str, str]:
        """Return what administrators were told last of each alert."""
        return dict(self._news())

    def ever_told(self) -> set[str]:
        """Return the alerts that administrators were told to fire."""
        return {alert for alert, said in self._news() if said == "FIRING"}

    async def until(self, what: str, holds: Callable[[], Any], within: float = 120.0) -> None:
        """Wait for something."""
        await eventually(holds, within=within, every=0.5, what=what)


@asynccontextmanager
async def ground(bootstrap: str, database_url: str, prefix: str, home: Path) -> AsyncIterator[Ground]:
    """Start it, with the workflows that the causes need."""
    workers = [role for role in ROLES if role != "admin"]
    ports = dict(zip(workers, pick_ports(len(workers)), strict=True))
    pages = {role: {"HEADRACE_METRICS_PORT": str(port)} for role, port in ports.items()}
    async with AsyncExitStack() as opened:
        receiver, channel = WebhookReceiver(), WebhookReceiver()
        for one in (receiver, channel):
            await one.start()
            opened.push_async_callback(one.stop)
        url = f"json://{HOST}:{channel.port}/alerts?+Idempotency-Key=alerts"
        environment = {**_SETTINGS, "ADMIN_ALERT_CHANNELS": url}
        stack = Stack(bootstrap, database_url, prefix, home, environment=environment, by_role=pages, modules=_MODULES)
        await opened.enter_async_context(stack)
        connecting = psycopg.AsyncConnection.connect(database_url, autocommit=True)
        database = await opened.enter_async_context(await connecting)
        scraped = {**ports, "admin": stack.settings.admin_port}
        watching = await opened.enter_async_context(prometheus(home / "prometheus", scraped))
        made = Ground(stack, watching, receiver, channel, database)
        await _workflows(made)
        yield made


async def _workflows(made: Ground) -> None:
    def webhook(path: str, **config: Any) -> dict[str, Any]:
        return {"type": "webhook", "config": {"url": f"{made.receiver.url}/{path}", "body": {}, **config}}

    tag = {"type": "apply_tag", "config": {"tag": "seen"}}
    over = [{"field": "order.total", "operator": ">", "value": 0}]
    await made.workflow("good", webhook("good"), tag, conditions=over)
    await made.workflow("tags", tag)
    await made.workflow("slow", *(webhook("slow") for _ in range(3)))
    await made.workflow("failing", webhook("failing"))
    await made.workflow("waiting", {"type": "delay", "config": {"duration": "PT2S"}}, tag)
    await made.stack.settled()
