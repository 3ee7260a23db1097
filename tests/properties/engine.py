"""Headrace in one process: its real agents over real Postgres, with records handed on in memory in Kafka's place.

The API writes to the same database, the outbox is drained by the relay's own session, and what goes outside (HTTP,
mail) goes to fakes that pass the real adapters' contract tests. That makes an execution from event to log row cost a
few milliseconds, so that a property can have its hundred examples.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
import psycopg
from psycopg.rows import dict_row

from app.actions.registry import REGISTRY
from app.adapters.postgres.crm import PostgresCrm
from app.adapters.postgres.crm_reads import PostgresReads
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.entries import PostgresEntries
from app.adapters.postgres.execution_log import ExecutionLog
from app.adapters.postgres.message_texts import PostgresTexts
from app.adapters.postgres.outbox import PostgresOutbox
from app.adapters.postgres.pool import Pool
from app.adapters.postgres.receipts import PostgresReceipts
from app.domain.breaker import BreakerPolicy
from app.domain.clock import utc_now
from app.domain.ids import execution_id
from app.domain.loops import RunBudget
from app.domain.retry import RetryPolicy
from app.execution.breakers import Breakers
from app.execution.bulkhead import Bulkhead
from app.execution.executors import Executor, LeasedOnly, Shared, executor_of
from app.execution.lane import Lane
from app.execution.log_writing import Sink
from app.execution.matching import Matcher
from app.execution.routing import Router
from app.execution.timing import Timing
from app.execution.transactional import TransactionalExecutor
from app.ports import Record
from app.ports.outbox import Bounds, OutboxSession
from app.services.delivery.dead_letters import DeadLetters
from app.services.messages.message_text import RecentTexts, TemplateTexts
from app.services.workflows.index import WorkflowIndex
from app.topics import Topics
from tables.workflows import read_change
from tests.admin.conftest import Api, User
from tests.execution.test_retry_times import TimedHttp
from tests.support.breakers import MemoryBreakers
from tests.support.clock import SteppedClock
from tests.support.current import current_over
from tests.support.fake_mailer import FakeMailer
from tests.support.fake_rights import FixedRights
from tests.support.logins import as_role, pool_of
from tests.support.parts import whole
from tests.support.providers import ports_of
from tests.support.quotas import no_holding, no_quota
from tests.support.records import FakeRecord

SOURCE: Final = "/tests"
LEASE: Final = timedelta(seconds=37)
_OUTBOX_PAGE: Final = 500
_ROUNDS: Final = 200
_POSTS_EACH: Final = 100
_LOOKED_BACK: Final = timedelta(hours=1)

Row = dict[str, Any]


def new_type() -> str:
    """Return an event type that no workflow but this example's is triggered by."""
    return f"custom.p{uuid4().hex[:16]}"


def event(kind: str, **data: Any) -> dict[str, Any]:
    """Return an event of its own id, about ``data``'s customer, or a new one."""
    customer = data.get("customer", {}).get("id") or f"c-{uuid4().hex[:12]}"
    return {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": SOURCE,
        "type": kind,
        "subject": customer,
        "data": {"customer": {"id": customer}, **data},
    }


class Engine:
    """The installation; see :func:`running_engine`.

    Attributes:
        api: Its API.
        http: What webhooks reach.
        mail: What e-mails reach.
        clock: What passes between the attempts at an action.
        jitter: What chance says to every backoff, 0 to 1.
        pool: The executors' connections.
        poster: Who posts events and reads customers.
    """

    def __init__(
        self,
        api: Api,
        pools: Mapping[DatabaseRole, Pool],
        outbox: OutboxSession,
        rows: psycopg.AsyncConnection[Row],
    ) -> None:
        self.api = api
        pool = pools[DatabaseRole.EXECUTOR]
        self.scheduling = pools[DatabaseRole.SCHEDULER]
        self.clock, self.jitter = SteppedClock(), 0.0
        self.http = TimedHttp(self.clock)
        self.mail = FakeMailer()
        self.topics = Topics(api.settings.topic_prefix)
        self.index = WorkflowIndex()
        self._outbox = outbox
        self._rows = rows
        self._position = self._posts = 0
        self.poster = api.user("user", "events:write", "crm:read")
        self._router = Router(self.topics, frozenset(REGISTRY.names()))
        self._letters = DeadLetters(topics=self.topics, sender=api.sender, role="tests", clock=utc_now)
        self._entries = PostgresEntries(pools[DatabaseRole.MATCHER])
        self._matcher = self.matcher(self.index)
        self._sink = Sink(ExecutionLog(pools[DatabaseRole.SINK]), self._letters)
        self._crm = partial(PostgresCrm, topics=self.topics)
        self._receipts = PostgresReceipts(pool, "properties/1", LEASE, self._crm)
        self._shared = Shared(
            current=current_over(PostgresReads(pool.connection, self._crm, patient=True)),
            rights=FixedRights(),
            receipts=self._receipts,
            router=self._router,
            holding=no_holding(),
            dead_letters=self._letters,
            timeout=5,
            clock=utc_now,
        )
        self._leased = LeasedOnly(
            ports=replace(ports_of(self.http), mail=self.mail),
            sender=api.sender,
            breakers=Breakers(MemoryBreakers(), BreakerPolicy(threshold=1_000_000)),
            template_texts=TemplateTexts(RecentTexts(PostgresTexts(pool.connection, patient=True))),
            policy=RetryPolicy(),
            lease=LEASE.total_seconds(),
            timing=Timing(self.clock.monotonic, self.clock.sleep, lambda: self.jitter),
        )
        self._lane = Lane(Bulkhead(10, shared=False), lambda _: False)
        self._executors: dict[str, Executor] = {}

    async def start(self) -> None:
        """Make the executors."""
        await self._receipts.start()
        for action in REGISTRY:
            made = executor_of(action, self._shared, self._leased)
            for lane in ("normal", "high"):
                self._executors[self.topics.actions(action.name, lane)] = made

    def matcher(self, index: WorkflowIndex) -> Matcher:
        """Return a matcher over an index."""
        return Matcher(
            topics=self.topics,
            index=index,
            router=self._router,
            dead_letters=self._letters,
            max_age=3600,
            clock=utc_now,
            budget=RunBudget(0, 1),
            entries=self._entries,
            quota=no_quota(),
        )

    # -- what a property does with it

    async def workflow(
        self, user: User, *actions: dict[str, Any], active: bool = True, **fields: Any
    ) -> dict[str, Any]:
        """Create a workflow through the API, by default an active one with a trigger type of its own."""
        numbered = [{"order": order, **action} for order, action in enumerate(actions, 1)]
        draft = {"trigger": {"type": new_type(), "config": {}}, "conditions": [], "actions": numbered, **fields}
        made = await user.create(**draft)
        return await self.switch(user, made, "activate") if active else made

    async def switch(self, user: User, workflow: dict[str, Any], what: str) -> dict[str, Any]:
        """Activate or deactivate; returns the workflow as it is then."""
        answer = await user.call("POST", f"/api/v1/workflows/{workflow['id']}/{what}")
        assert answer.status == 200, answer
        switched: dict[str, Any] = answer.json
        return switched

    async def emit(self, *events: dict[str, Any]) -> None:
        """Post events to the API and let everything that follows happen."""
        await self.settle()
        answer = await self._poster().call("POST", "/api/v1/events", list(events))
        assert answer.status == 202, answer.json
        await self.settle()

    def _poster(self) -> User:
        """Return who posts events; somebody new now and then, because nobody may post more than so many a minute."""
        if self._posts % _POSTS_EACH == 0:
            self.poster = self.api.user("user", "events:write", "crm:read")
        self._posts += 1
        return self.poster

    async def executions(
        self, user: User, workflow: dict[str, Any] | None = None, sort: str = "executed_at"
    ) -> list[dict[str, Any]]:
        """Return executions of the last hour as the API lists them to a user, a workflow's or all, as they ran.

        Asked for so, they are in one span of the log; of all time they would be looked for in four.
        """
        query = {"sort": sort, "limit": "200"} | ({} if workflow is None else {"workflow_id": workflow["id"]})
        query |= {"from": str(utc_now() - _LOOKED_BACK), "to": str(utc_now() + _LOOKED_BACK)}
        answer = await user.call("GET", "/api/v1/executions", params=query)
        assert answer.status == 200, answer.json
        items: list[dict[str, Any]] = answer.json["items"]
        return items

    async def run(self, workflow: dict[str, Any], sent: dict[str, Any]) -> Row:
        """Emit an event; returns the one row of a workflow's execution for it."""
        await self.emit(sent)
        (row,) = await self.rows(workflow, sent)
        return row

    async def rows(self, workflow: dict[str, Any], *events: dict[str, Any]) -> list[Row]:
        """Return the log's rows of a workflow, in the order they ran; of some events only, where there are any."""
        query, values = "SELECT * FROM automation_logs WHERE automation_id = %s", [UUID(workflow["id"])]
        if events:
            query += " AND id = ANY(%s)"
            values.append([execution_id(values[0], one["source"], one["id"]) for one in events])  # type: ignore[arg-type]
        return await self.fetch(f"{query} ORDER BY executed_at, event_id", *values)

    async def fetch(self, query: str, *values: Any) -> list[Row]:
        """Run a query as the administrator."""
        return await (await self._rows.execute(query.encode(), values)).fetchall()

    def forget(self) -> None:
        """Empty Kafka, and what went outside."""
        self.api.sender.records.clear()
        self.http.requests.clear()
        self.http.answers.clear()
        self.mail.messages.clear()
        self.mail.failures.clear()
        self.http.at.clear()
        self.jitter = 0.0
        self._position = 0

    def sent(self, topic: str) -> list[Record]:
        """Return what was produced to a topic since Kafka was emptied."""
        return self.api.sender.on(topic)

    # -- how records travel

    async def settle(self) -> None:
        """Hand records on until none is left, neither in the outbox nor between the agents.

        The outbox, which costs Postgres a look, is asked when nothing else is left.
        """
        for _ in range(_ROUNDS):
            if self._position == len(self.api.sender.records):
                await self._relay()
            new = self.api.sender.records[self._position :]
            if not new:
                return
            self._position += len(new)
            await self._hand_on(new)
        raise AssertionError(f"records still follow from records after {_ROUNDS} rounds")

    async def _relay(self) -> None:
        rows = await self._outbox.pending(Bounds(_OUTBOX_PAGE))
        if rows:
            sent = [replace(row.record, topic=self.topics.meant(row.record.topic)) for row in rows]
            await self.api.sender.send_all(sent)
            await self._outbox.delete([row.id for row in rows])

    async def _hand_on(self, records: Sequence[Record]) -> None:
        by_topic: dict[str, list[FakeRecord]] = {}
        for offset, record in enumerate(records):
            read = FakeRecord(record.value, record.key, record.topic, 0, offset, headers=record.headers)
            by_topic.setdefault(record.topic, []).append(read)
        for topic, batch in by_topic.items():
            await self._hand_to(topic, batch)

    async def _hand_to(self, topic: str, batch: list[FakeRecord]) -> None:
        if topic == self.topics.workflows_changelog:
            for record in batch:
                self.index.apply(read_change(record.key or b"", record.value))
        elif topic in self.topics.all_events():
            await self.api.sender.send_all(await whole(self._matcher.process(batch)))
        elif topic == self.topics.executions:
            await self.api.sender.send_all(await self._sink.process(batch))
        elif topic == self.topics.dead_letters:
            raise AssertionError(f"dead letters: {[orjson.loads(record.value or b'') for record in batch]}")
        else:
            await self._carry_out(self._executors[topic], batch)

    async def _carry_out(self, executor: Executor, batch: list[FakeRecord]) -> None:
        if isinstance(executor, TransactionalExecutor):
            await self.api.sender.send_all(await executor.process(batch))
            return
        for record in batch:
            assert await executor.handle(record, self._lane)


@asynccontextmanager
async def running_engine(api: Api, database_url: str) -> AsyncIterator[Engine]:
    """Run an installation around an API."""
    async with AsyncExitStack() as stack:
        roles = DatabaseRole.MATCHER, DatabaseRole.EXECUTOR, DatabaseRole.SINK, DatabaseRole.SCHEDULER
        pools = {role: await stack.enter_async_context(pool_of(database_url, role)) for role in roles}
        outbox = await stack.enter_async_context(PostgresOutbox(as_role(database_url, DatabaseRole.SCHEDULER)).lead())
        connecting = psycopg.AsyncConnection.connect(database_url, autocommit=True, row_factory=dict_row)
        rows: psycopg.AsyncConnection[Row] = await stack.enter_async_context(await connecting)
        engine = Engine(api, pools, outbox, rows)
        await engine.start()
        yield engine
