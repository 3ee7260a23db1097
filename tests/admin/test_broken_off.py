"""Answers that break off half way: the caller can tell that they are not whole, and the log says why."""

import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from aiohttp import ClientPayloadError
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import REGISTRY

from app.adapters.postgres.api_engine import ApiDatabase
from app.admin.auth import mint_token
from app.admin.routes import build_app
from app.admin.state import State
from app.domain.callers import Caller
from app.domain.errors import UnreachableError
from app.domain.paging import Position
from app.domain.snapshots import Snapshot
from app.ports.executions import ExecutionDetail, ExecutionFilter, ExecutionSummary
from app.ports.following import Look, News
from app.ports.queue_status import OwnerMark, OwnStatus
from app.processes.admin_services import assemble
from app.services.operations.executions import ExecutionService
from app.services.operations.following import Following
from app.services.operations.queue_status import Queue
from app.services.operations.queue_watch import QueueWatch
from app.settings import Settings
from tests.admin.conftest import User
from tests.admin.test_queue import Store
from tests.support.depths import MemoryDepths
from tests.support.sender import MemorySender
from tests.support.waiting import in_time

GONE = UnreachableError("Postgres does not serve the API (told so by the test)")
OURS = ValueError("a mistake of ours")


class Pages:
    """A log of which every page but the first breaks."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def find(
        self, caller: Caller, wanted: ExecutionFilter, after: Position | None, limit: int
    ) -> Sequence[ExecutionSummary]:
        """Return a full page, or break."""
        if after is not None:
            raise self._error
        return [_row(caller) for _ in range(limit)]

    async def get(self, caller: Caller, execution_id: UUID) -> ExecutionDetail | None:
        """Return that there is none."""
        return None

    async def led_to(self, caller: Caller, cause: ExecutionSummary, limit: int) -> Sequence[ExecutionSummary]:
        """Return that it led to nothing."""
        return []


def _row(caller: Caller) -> ExecutionSummary:
    rest: dict[str, Any] = {"status": "success", "conditions_met": True, "error": None, "duration_ms": 1}
    names: dict[str, Any] = {"entity": "c", "event_id": "e", "event_type": "order.paid", "workflow_name": "w"}
    return ExecutionSummary(
        id=uuid4(), workflow_id=caller.user_id, version=1, attempt=1, executed_at=datetime.now(UTC), **rest, **names
    )


class Feed:
    """A feed that breaks at its second look."""

    def __init__(self) -> None:
        self._looks = 0

    async def look(self, since: Snapshot | None) -> Look:
        """Return that there is nothing new, or break."""
        self._looks += 1
        if self._looks > 1:
            raise OURS
        return Look(Snapshot(1, 1), ())

    async def read(self, caller: Caller, news: Sequence[News]) -> Mapping[UUID, ExecutionSummary]:
        """Return nothing."""
        return {}


class BrokenStore(Store):
    """What waits, of which nobody learns more than once."""

    async def marks(self, owners: Collection[UUID]) -> Mapping[UUID, OwnerMark]:
        """Break."""
        raise GONE

    async def own(self, caller: Caller) -> OwnStatus:
        """Return that nothing waits."""
        return OwnStatus(parked=0, failed_executions=0, failed_actions=0)


@asynccontextmanager
async def serving(settings: Settings, change: Any) -> AsyncIterator[User]:
    """An API of whose services some are others; yields a user of it."""
    pool = ApiDatabase(settings)
    state: State = change(assemble(settings, pool, MemorySender(), MemoryDepths()))
    async with TestClient(TestServer(build_app(state))) as client:
        yield User(client, mint_token(settings, uuid4(), "user", 60, ()))
    await pool.close()


def _counted(why: str) -> float:
    return REGISTRY.get_sample_value("headrace_http_answers_broken_off_total", {"why": why}) or 0.0


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("broken", [(GONE, "unreachable", "WARNING"), (OURS, "failed", "ERROR")], ids=["away", "ours"])
async def test_an_export_that_breaks_off_never_looks_whole(
    settings: Settings, caplog: pytest.LogCaptureFixture, form: str, broken: tuple[Exception, str, str]
) -> None:
    """Its last chunk does not come, whatever broke: curl, pandas and our client all say so; the log has the reason."""
    caplog.set_level(logging.INFO, "app.admin")
    error, why, level = broken
    before = _counted(why)
    change = lambda state: replace(state, runs=replace(state.runs, executions=ExecutionService(Pages(error))))  # noqa: E731
    async with serving(settings, change) as user:
        headers = {"Authorization": f"Bearer {user.token}"}
        async with user.client.get(f"/api/v1/executions/export?format={form}", headers=headers) as response:
            assert response.status == 200
            with pytest.raises(ClientPayloadError):
                await response.read()
    (line,) = [one for one in caplog.records if one.getMessage() == "request"]
    assert (line.levelname, bool(line.__dict__["broke_off"]), _counted(why)) == (level, True, before + 1)


async def _to_its_end(user: User, path: str) -> tuple[str, Any]:
    """Read a stream to its end, and return the kind and the data of its last event."""
    async with user.client.get(path, headers={"Authorization": f"Bearer {user.token}"}) as response:
        text = (await in_time(response.read(), 20, what="the stream's end")).decode()
    last = [block for block in text.split("\n\n") if "\ndata: " in block][-1]
    fields = dict(line.split(": ", 1) for line in last.splitlines())
    return fields["event"], orjson.loads(fields["data"])


async def test_a_queue_stream_that_breaks_off_says_so(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """An event ``error`` with the problem that a request would be answered; then the end."""
    caplog.set_level(logging.INFO, "app.admin")
    watch = QueueWatch(Queue((), MemoryDepths(), BrokenStore()), every=0.01)
    change = lambda state: replace(state, live=replace(state.live, queue=watch))  # noqa: E731
    async with serving(settings, change) as user:
        kind, problem = await _to_its_end(user, "/api/v1/queue/stream")
    assert (kind, problem["status"]) == ("error", 503)
    (line,) = [one for one in caplog.records if one.getMessage() == "request"]
    assert (line.levelname, "Postgres does not serve" in line.__dict__["broke_off"]) == ("WARNING", True)


async def test_a_stream_of_executions_that_breaks_off_says_so(settings: Settings) -> None:
    """Also where our own code fails: of that the caller is told an id to quote, and no more."""
    following = Following(Feed(), every=0.01)
    change = lambda state: replace(state, live=replace(state.live, following=following))  # noqa: E731
    async with serving(settings, change) as user:
        kind, problem = await _to_its_end(user, "/api/v1/executions/stream")
    assert (kind, problem["status"], "mistake" in problem["detail"]) == ("error", 500, False)
    assert problem["instance"].startswith("urn:uuid:")
