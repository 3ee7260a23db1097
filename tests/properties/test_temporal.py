"""Property 31: temporal workflows, from the schedule to the row of each run, on real Postgres with a clock of ours."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from app.adapters.postgres.pool import Pool
from app.adapters.postgres.temporal import PostgresTemporal
from app.domain.callers import PERMISSIONS
from app.domain.schedules import WEEKDAYS, Schedule
from app.services.scheduling.temporal import TemporalLoop
from tests.admin.conftest import Api
from tests.domain.test_schedules import MOMENTS, SCHEDULES, expected
from tests.properties.engine import Engine
from tests.properties.examples import PROPERTY
from tests.support.crm import crm_over


class Clocked(PostgresTemporal):
    """A store whose clock is set by the test."""

    def __init__(self, pool: Pool, now: datetime) -> None:
        super().__init__(pool, crm_over)
        self.time = now

    async def now(self) -> datetime:
        """Return the time that was set."""
        return self.time


def config_of(schedule: Schedule) -> dict[str, Any]:
    """Return a schedule as a user writes it."""
    config: dict[str, Any] = {"at": f"{schedule.at:%H:%M}", "timezone": schedule.zone.key}
    if schedule.kind == "weekly":
        config["days"] = [WEEKDAYS[number] for number in sorted(schedule.weekdays)]
    if schedule.kind == "monthly":
        config["day"] = schedule.day
    return config


# Feature: automations-workflows, Property 31: Temporal Execution Frequency
@PROPERTY
@given(schedule=SCHEDULES, moment=MOMENTS, early=st.integers(1, 3600))
@example(
    schedule=Schedule("monthly", time(9), ZoneInfo("UTC"), day=31), moment=datetime(2026, 2, 1, tzinfo=UTC), early=1
)
async def test_31_a_temporal_workflow_runs_at_its_times(
    engine: Engine, api: Api, schedule: Schedule, moment: datetime, early: int
) -> None:
    """Daily, weekly or monthly in any zone: the next two runs are at the times that dateutil says, and none between."""
    user = api.user()
    trigger = {"type": f"temporal.{schedule.kind}", "config": config_of(schedule)}
    note = {"type": "stop_workflow", "config": {"reason": "{{ due }}"}}
    workflow = await engine.workflow(user, note, trigger=trigger)
    first = min(due for due in expected(schedule, moment) if due > moment)
    dues = [first, min(due for due in expected(schedule, first) if due > first)]
    store = Clocked(engine.scheduling, moment)
    loop = TemporalLoop(store, engine.topics, rate=1, everybodys=PERMISSIONS)
    await loop.round()
    for due in dues:
        for at in (max(store.time, due - timedelta(seconds=early)), due):
            store.time = at
            await loop.round()
    await engine.settle()
    ran = [datetime.fromisoformat(row["trigger_event"]["time"]) for row in await engine.rows(workflow)]
    assert sorted(ran) == dues
    assert {row["status"] for row in await engine.rows(workflow)} == {"stopped"}
    await user.call("DELETE", f"/api/v1/workflows/{workflow['id']}")
