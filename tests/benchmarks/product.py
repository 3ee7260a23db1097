"""Our side of the comparison: every role as its own process, the workflow made through the API."""

import asyncio
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from tests.benchmarks.ceiling_job import TAG
from tests.support.servers import Servers
from tests.support.stack import ROLES, Stack

_CONDITIONS: Final = (
    {"field": "order.total", "operator": ">", "value": 100},
    {"field": "customer.state", "operator": "in", "value": ["SP", "RJ", "MG"]},
)
_FIRST_TAG: Final = 2
_ONE: Final = ("scheduler", "admin")
_CREATED_AT_ONCE: Final = 16
_BODY: Final = {"order": "{{ order.id }}", "total": "{{ order.total }}", "customer": "{{ customer.id }}"}


@dataclass(frozen=True, slots=True)
class Job:
    """What the product has to do; the defaults are the main job.

    Attributes:
        actions: A webhook, and so many less one tags.
        others: Further active workflows that no event of the load concerns.
        same_trigger: Whether those wait for the same events, and conditions tell; else each has its own type.
        workers: Of each role that reads events or commands.
    """

    actions: int = 2
    others: int = 0
    same_trigger: bool = False
    workers: int = 1


_MAIN_JOB: Final = Job()


class ProductContender:
    """Headrace, every role as its own process.

    Args:
        servers: Broker and Postgres.
        webhook_url: Where the webhook goes.
        environment: Further settings of the processes.
        job: What it has to do.
    """

    name = "headrace"

    def __init__(
        self,
        servers: Servers,
        webhook_url: str,
        environment: Mapping[str, str] | None = None,
        job: Job = _MAIN_JOB,
    ) -> None:
        self._servers = servers
        self._webhook_url = webhook_url
        self._environment = dict(environment or {})
        self._job = job
        self._stack: Stack | None = None
        self.workflow = UUID(int=0)

    @property
    def stack(self) -> Stack:
        """The processes."""
        assert self._stack is not None
        return self._stack

    @property
    def topic(self) -> str:
        """Where paid orders go."""
        return self.stack.topics.events("order.paid")

    @property
    def database_url(self) -> str:
        """The stack's database."""
        return self.stack.database_url

    @property
    def pids(self) -> dict[str, int]:
        """Every role's process.

        Raises:
            RuntimeError: One has ended; nothing restarts it here.
        """
        for worker in self.stack.workers:
            if worker.pid is None:
                raise RuntimeError(f"{worker.name} ended with {worker.exit_code}\n{worker.log_tail()}")
        return self.stack.pids()

    async def start(self) -> None:
        """Start all on an empty database, with the job's workflow active on the matcher."""
        url = await asyncio.to_thread(self._servers.fresh_database, "bench_headrace")
        home = self._servers.home / "headrace"
        await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
        prefix = f"bench-{uuid4().hex[:8]}."
        roles = {role: 1 if role in _ONE else self._job.workers for role in ROLES}
        self._stack = Stack(self._servers.bootstrap, url, prefix, home, roles=roles, environment=self._environment)
        await self._stack.__aenter__()
        self.workflow = await self.stack.api.create_workflow(self._draft())
        await self._create_others()
        await self.stack.settled()

    async def stop(self) -> None:
        """End every process."""
        if self._stack is not None:
            await self._stack.stop()

    def hold(self) -> None:
        """Freeze the matchers: nothing is read."""
        self._signal_matchers(signal.SIGSTOP)

    def go(self) -> None:
        """Thaw the matchers."""
        self._signal_matchers(signal.SIGCONT)

    def _signal_matchers(self, number: signal.Signals) -> None:
        for worker in self.stack.workers:
            if worker.role == "matcher":
                worker.signal(number)

    async def _create_others(self) -> None:
        at_once = asyncio.Semaphore(_CREATED_AT_ONCE)

        async def create(number: int) -> None:
            kind = "order.paid" if self._job.same_trigger else f"custom.other-{number}"
            never = [{"field": "order.total", "operator": ">", "value": 1_000_000 + number}]
            actions = [{"type": "apply_tag", "order": 1, "config": {"tag": TAG}}]
            draft = {"name": f"Other {number}", "trigger": {"type": kind}, "conditions": never, "actions": actions}
            async with at_once:
                await self.stack.api.create_workflow(draft)

        await asyncio.gather(*map(create, range(self._job.others)))

    def _draft(self) -> dict[str, Any]:
        actions = [
            {"type": "webhook", "order": 1, "config": {"url": self._webhook_url, "body": _BODY}},
            *(
                {
                    "type": "apply_tag",
                    "order": order,
                    "config": {"tag": TAG if order == _FIRST_TAG else f"{TAG}-{order}"},
                }
                for order in range(_FIRST_TAG, self._job.actions + 1)
            ),
        ]
        trigger = {"type": "order.paid"}
        return {"name": "The job", "trigger": trigger, "conditions": list(_CONDITIONS), "actions": actions}
