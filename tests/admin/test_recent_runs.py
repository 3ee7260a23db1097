"""How workflows did of late, as their list shows it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.recent_runs import PostgresRecentRuns
from app.admin.state import STATE
from app.domain.callers import Caller
from app.services.operations.recent_runs import RecentRuns
from tests.admin.conftest import Api
from tests.admin.log import Log


async def test_runs_are_counted_by_how_they_ended(api: Api, log: Log) -> None:
    """Those of a day, each in one of three kinds; a stranger is told of none, and a busy workflow's are bounded."""
    now, user = datetime.now(UTC), api.user()
    one, idle = await user.create(), await user.create()
    for status in ("success", "stopped", "failed", "partial", "timed_out", "skipped", "blocked"):
        await log.add(one, status=status, at=now - timedelta(minutes=1))
    await log.add(one, status="failed", at=now - timedelta(hours=25))
    ids = [UUID(one["id"]), UUID(idle["id"]), uuid4()]
    recent = api.app[STATE].runs.recent
    told = await recent.of(Caller(user.id, "user"), ids, now)
    assert told == {ids[0]: RecentRuns(2, 3, 2), ids[1]: RecentRuns(), ids[2]: RecentRuns()}
    assert await recent.of(Caller(uuid4(), "user"), ids[:1], now) == {ids[0]: RecentRuns()}
    assert await recent.of(Caller(user.id, "user"), [], now) == {}
    database = ApiDatabase(api.settings)
    bounded = await PostgresRecentRuns(database).counted(Caller(user.id, "user"), ids, now - timedelta(days=2), 3)
    await database.close()
    assert sum(bounded[ids[0]].values()) == 3
