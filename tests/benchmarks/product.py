"""Our side of the comparison: every role as its own process, the workflow made through the API."""

import asyncio
import shutil
import signal
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid4

from tests.benchmarks.ceiling_job import TAG
from tests.support.servers import Servers
from tests.support.stack import Stack

_CONDITIONS: Final = (
    {"field": "order.total", "operator": ">", "value": 100},
    {"field": "customer.state", "operator": "in", "value": ["SP", "RJ", "MG"]},
)
_BODY: Final = {"order": "{{ order.id }}", "total": "{{ order.total }}", "customer": "{{ customer.id }}"}


class ProductContender:
    """Headrace with one worker of each role.

    Args:
        servers: Broker and Postgres.
        webhook_url: Where the webhook goes.
        environment: Further settings of the processes.
    """

    name = "headrace"

    def __init__(self, servers: Servers, webhook_url: str, environment: Mapping[str, str] | None = None) -> None:
        self._servers = servers
        self._webhook_url = webhook_url
        self._environment = dict(environment or {})
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
        self._stack = Stack(self._servers.bootstrap, url, prefix, home, environment=self._environment)
        await self._stack.__aenter__()
        self.workflow = await self.stack.api.create_workflow(self._draft())
        await self.stack.settled()

    async def stop(self) -> None:
        """End every process."""
        if self._stack is not None:
            await self._stack.stop()

    def hold(self) -> None:
        """Freeze the matcher: nothing is read."""
        self.stack.worker("matcher").signal(signal.SIGSTOP)

    def go(self) -> None:
        """Thaw the matcher."""
        self.stack.worker("matcher").signal(signal.SIGCONT)

    def _draft(self) -> dict[str, Any]:
        actions = [
            {"type": "webhook", "order": 1, "config": {"url": self._webhook_url, "body": _BODY}},
            {"type": "apply_tag", "order": 2, "config": {"tag": TAG}},
        ]
        trigger = {"type": "order.paid"}
        return {"name": "The job", "trigger": trigger, "conditions": list(_CONDITIONS), "actions": actions}
