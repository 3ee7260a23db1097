"""The whole product as processes, on a given broker and database: what harnesses and integration tests drive.

async with Stack(bootstrap, database_url, prefix, home) as stack:
    workflow = await stack.api.create_workflow(draft)
    await stack.settled()           # every matcher knows it
    stack.worker("matcher").kill()
"""

import asyncio
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID, uuid4

import psycopg
from pydantic import SecretStr

from app.actions.registry import REGISTRY
from app.adapters.kafka.admin import ensure_topics
from app.adapters.kafka.producer import KafkaSender
from app.adapters.postgres.migrate import upgrade
from app.domain.errors import UnreachableError
from app.domain.ids import execution_id
from app.embedded.free_ports import HOST, pick_ports
from app.services.ingest.emitter import EventEmitter
from app.settings import Settings
from app.topics import Topics, declare
from tests.support.api import Api
from tests.support.code import Code
from tests.support.consumer_groups import group_admin, members
from tests.support.logins import as_process, make_logins
from tests.support.waiting import eventually
from tests.support.worker_process import WorkerProcess

ROLES: Final = (
    "scheduler",
    "matcher",
    "executor-notification",
    "executor-crm",
    "executor-workflow",
    "executor-system",
    "sink",
    "admin",
)
_GROUPLESS: Final = ("scheduler", "admin")
_READY_WITHIN_S: Final = 60.0
_CANARIES: Final = 48
_SECRET: Final = "test-secret-test-secret-test-secret-0123"


class Stack:
    """Processes of one installation, started together and stopped together.

    Args:
        bootstrap: Kafka's bootstrap servers.
        database_url: An administrator's URL of a database; it is migrated here, and each role logs in as its own user.
        prefix: Topic prefix, unique to this stack.
        home: Folder for logs and workers' files.
        roles: How many workers of each role; the default is one of each.
        environment: Further settings, by their environment names,
        by_role: and those of a role's processes alone.
        modules: Roles whose processes are made by a module of the tests, by its name.
        code: Another clone's, whose installation this is; this clone's by default.
    """

    def __init__(
        self,
        bootstrap: str,
        database_url: str,
        prefix: str,
        home: Path,
        *,
        roles: Mapping[str, int] | None = None,
        environment: Mapping[str, str] | None = None,
        by_role: Mapping[str, Mapping[str, str]] | None = None,
        modules: Mapping[str, str] | None = None,
        code: Code | None = None,
    ) -> None:
        self._code = code
        self.bootstrap = bootstrap
        self.database_url = database_url
        self.topics = Topics(prefix)
        self.home = home
        self.environment = self._environment(pick_ports(1)[0]) | dict(environment or {})
        self.settings = _settings(self.environment)
        self._by_role = dict(by_role or {})
        self._modules = dict(modules or {})
        self.workers = [self._worker(role, n) for role, n in _spread(roles or dict.fromkeys(ROLES, 1))]
        self._resources = AsyncExitStack()
        self._api: Api | None = None
        self._emitter: EventEmitter | None = None

    async def __aenter__(self) -> Self:
        await (self._prepare() if self._code is None else self.install(self._code))
        base = f"http://{HOST}:{self.settings.admin_port}"
        self._api = await self._resources.enter_async_context(Api(base, self.settings))
        sender = await self._resources.enter_async_context(
            KafkaSender(self.settings.kafka_connection, client_id="tests")
        )
        self._emitter = EventEmitter(sender, self.topics)
        try:
            for worker in self.workers:
                worker.start()
            await self.ready()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """End every process: who writes first, then who reads."""
        await asyncio.gather(*(worker.stop() for worker in self.workers))
        await self._resources.aclose()

    @property
    def api(self) -> Api:
        """The admin API's client."""
        assert self._api is not None
        return self._api

    @property
    def emitter(self) -> EventEmitter:
        """Emits events straight to Kafka."""
        assert self._emitter is not None
        return self._emitter

    def worker(self, role: str, instance: str = "1") -> WorkerProcess:
        """Return one process."""
        return next(worker for worker in self.workers if (worker.role, worker.instance) == (role, instance))

    def add(self, role: str, environment: Mapping[str, str] | None = None) -> WorkerProcess:
        """Start a further worker of a role, with settings of its own if need be; wait for it with ``ready``."""
        worker = self._worker(role, 1 + sum(other.role == role for other in self.workers), environment)
        self.workers.append(worker)
        worker.start()
        return worker

    async def again(self, role: str, environment: Mapping[str, str]) -> None:
        """End a role's first worker, and start it anew with other settings; returns when it is ready."""
        place = self.workers.index(self.worker(role))
        await self.workers[place].stop()
        self._by_role[role] = environment
        self.workers[place] = self._worker(role, 1)
        self.workers[place].start()
        await self.ready()

    async def exchange(self, worker: WorkerProcess, code: Code) -> WorkerProcess:
        """End a worker, and start the same with another clone's code in its place; wait for it with ``ready``."""
        place = self.workers.index(worker)
        await worker.stop()
        self.workers[place] = self._worker(worker.role, int(worker.instance), code=code)
        self.workers[place].start()
        return self.workers[place]

    async def install(self, code: Code) -> None:
        """Do with a clone's own command line what comes before its roles: migrations, database users, topics."""
        environment = {**os.environ, **self.environment}
        await code.headrace("migrate", environment=environment)
        await asyncio.to_thread(make_logins, self.database_url)
        await code.headrace("topics", environment=environment)

    async def _prepare(self) -> None:
        await asyncio.to_thread(upgrade, self.database_url)
        await asyncio.to_thread(make_logins, self.database_url)
        administrator = _settings(self.environment | dict(self._by_role.get("topics", {})))
        await ensure_topics(
            administrator.kafka_connection, declare(self.settings, REGISTRY.names()), replication_factor=0
        )

    def pids(self) -> dict[str, int]:
        """Return the pids of what runs, by name."""
        return {worker.name: worker.pid for worker in self.workers if worker.pid is not None}

    async def ready(self, within: float = _READY_WITHIN_S, *, roles: Collection[str] | None = None) -> None:
        """Wait until each running worker (of some roles) is in its group and the API answers.

        Raises:
            AssertionError: A process ended or does not get ready; the text has the end of its log.
        """
        async with group_admin(self.bootstrap) as admin:
            for role in {worker.role for worker in self.workers} if roles is None else roles:
                joined = partial(self._is_ready, admin, role)
                await eventually(joined, within=within, every=0.2, what=f"{role} ready")

    async def settled(self, within: float = 30.0) -> None:
        """Wait until every matcher knows all workflows that the API has answered for: canaries come back.

        A canary's revision comes last in the outbox, and the table's changelog has one partition. The canaries' keys
        spread over all partitions, so that each matcher answers for itself.
        """
        kind = f"custom.canary-{uuid4().hex[:8]}"
        never = [{"field": "event.type", "operator": "==", "value": "never"}]
        action = {"type": "stop_workflow", "order": 1, "config": {}}
        draft = {"name": kind, "trigger": {"type": kind}, "conditions": never, "actions": [action]}
        workflow = await self.api.create_workflow(draft)
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            returned = partial(self._canaries_return, connection, workflow, kind)
            await eventually(returned, within=within, every=0.2, what="canaries")

    async def _canaries_return(self, connection: psycopg.AsyncConnection[Any], workflow: UUID, kind: str) -> bool:
        events = [_canary(kind) for _ in range(_CANARIES)]
        try:
            await self.emitter.emit_many(events)
        except UnreachableError:
            return False  # a broker that is busy coming up; others are sent, until the deadline
        ids = [execution_id(workflow, event["source"], event["id"]) for event in events]
        query = "SELECT count(*) FROM automation_logs WHERE id = ANY(%s)"
        for _ in range(15):
            found = await (await connection.execute(query, (ids,))).fetchone()
            if found == (len(ids),):
                return True
            await asyncio.sleep(0.1)
        return False

    async def _is_ready(self, admin: Any, role: str) -> bool:
        expected = [worker for worker in self.workers if worker.role == role]
        for worker in expected:
            if worker.pid is None:
                raise AssertionError(f"{worker.name} ended with {worker.exit_code}\n{worker.log_tail()}")
        if role == "admin":
            return await self.api.answers()
        return role in _GROUPLESS or await members(admin, f"{self.topics.prefix}{role}") == len(expected)

    def _worker(
        self, role: str, number: int, alone: Mapping[str, str] | None = None, *, code: Code | None = None
    ) -> WorkerProcess:
        own = {"DATABASE_URL": as_process(self.database_url, role)}
        environment = {**self.environment, **own, **self._by_role.get(role, {}), **(alone or {})}
        return WorkerProcess(
            role, str(number), environment, self.home, self._modules.get(role), code=code or self._code
        )

    def _environment(self, port: int) -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "DATABASE_URL": self.database_url,
            "HEADRACE_TOPIC_PREFIX": self.topics.prefix,
            "HEADRACE_JWT_SECRET": _SECRET,
            "HEADRACE_ADMIN_PORT": str(port),
            "HEADRACE_DATA_DIR": str(self.home / "workers"),
            "HEADRACE_WEBHOOK_ALLOW_PRIVATE": "true",
            "RATE_LIMIT_PER_MINUTE": "0",
        }


def _canary(kind: str) -> dict[str, Any]:
    name = uuid4().hex
    return {"specversion": "1.0", "id": name, "source": "/canary", "type": kind, "subject": name, "data": {}}


def _spread(roles: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    return [(role, number) for role, count in roles.items() for number in range(1, count + 1)]


def _settings(environment: Mapping[str, str]) -> Settings:
    """Read what the processes will read, without touching this process's environment."""
    named = {
        name if name.isupper() and not name.startswith("HEADRACE_") else name.removeprefix("HEADRACE_").lower(): value
        for name, value in environment.items()
    }
    return Settings.model_validate(named | {"DATABASE_URL": SecretStr(environment["DATABASE_URL"])})
