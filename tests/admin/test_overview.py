"""The overview's figures from Postgres: whose they are, what is counted, and what is said of what is only sampled."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.overview import PostgresOverview
from app.admin.pages.overview.sentence import parts_of
from app.admin.state import STATE
from app.domain.callers import Caller
from app.domain.day_figures import figures_of
from app.ports.overview import Failing
from app.services.operations.overview import Seen, Trouble
from app.settings import Settings
from tests.admin.conftest import Api, User
from tests.admin.log import Log

FAILED_STEPS = [{"step": n, "status": status} for n, status in enumerate(("failed", "success", "failed"))]


def ago(**by: float) -> datetime:
    """A moment so long ago."""
    return datetime.now(UTC) - timedelta(**by)


def caller_of(user: User, role: Any = "user") -> Caller:
    """Return who calls."""
    return Caller(user.id, role)


async def look(api: Api, caller: Caller) -> Seen:
    """What the overview shows somebody."""
    state = api.app[STATE]
    return await state.runs.overview.see(caller, state.queue, state.health)


async def test_a_day_is_told_as_it_went(api: Api, user: User, log: Log) -> None:
    """Counts, shares, times and failed steps of the last 24 hours; an older one is not in it, nor somebody else's."""
    workflow = await user.create()
    for minutes in (10, 20, 30):
        await log.add(workflow, at=ago(minutes=minutes), duration=40)
    await log.add(workflow, at=ago(hours=5), status="partial", results=FAILED_STEPS, error="the CRM said no")
    await log.add(workflow, at=ago(hours=5), status="skipped", attempt=0)
    await log.add(workflow, at=ago(hours=25))
    await log.add(await api.user().create(), at=ago(minutes=5))
    seen = await look(api, caller_of(user))
    found = seen.day.figures
    assert (found.executions.value, found.passed_over) == (4, 1)
    assert (found.success_rate.value, found.median_ms.value, found.p99_ms.value) == (0.75, 40, 40)
    assert (found.failed_actions.value, found.success_rate.about) == (2, False)
    assert [hour for hour, value in enumerate(found.executions.line) if value] == [18, 23]


async def test_an_administrator_sees_everybodys_day(api: Api, user: User, admin: User, log: Log) -> None:
    """By the index of statuses instead of workflow by workflow, with the same figures."""
    before = await look(api, caller_of(admin, "admin"))
    workflow = await user.create()
    await log.add(workflow, at=ago(hours=20), status="failed", results=FAILED_STEPS[:1])
    await log.add(workflow, at=ago(hours=20), status="blocked", attempt=0)
    after = await look(api, caller_of(admin, "admin"))
    made = [one.day.figures for one in (before, after)]
    assert [one.executions.value for one in made] == [made[0].executions.value, (made[0].executions.value or 0) + 1]
    assert made[1].passed_over == made[0].passed_over + 1


async def test_what_is_only_sampled_is_counted_all_the_same(settings: Settings, user: User, log: Log) -> None:
    """Where fewer are looked at than there are, their number is exact and the rest is said to be about so much."""
    workflow = await user.create()
    for number in range(6):
        await log.add(workflow, at=ago(minutes=10), duration=10 + number)
    database = ApiDatabase(settings)
    found = figures_of(await PostgresOverview(database, most=24).day(caller_of(user), ago(days=1), ago()))
    await database.close()
    assert (found.executions.value, found.executions.line[23], found.success_rate.about) == (6, 6, True)


async def test_what_fails_most_is_told_with_its_commonest_error(api: Api, user: User, log: Log) -> None:
    """Errors that differ in numbers alone are one; those of the last hour are counted apart, and nobody else's are."""
    often, seldom = await user.create(name="Often"), await user.create(name="Seldom")
    for number in range(3):
        await log.add(often, at=ago(hours=2), status="failed", error=f"no answer within 30 s (try {number})")
    await log.add(often, at=ago(minutes=5), status="failed", error="refused")
    await log.add(seldom, at=ago(minutes=5), status="timed_out")
    await log.add(seldom, at=ago(minutes=5), status="blocked", error="a loop", attempt=0)
    seen = (await look(api, caller_of(user))).failing
    assert [(one.name, one.failures, one.times) for one in seen.most] == [("Often", 4, 3), ("Seldom", 1, 0)]
    assert str(seen.most[0].error).startswith("no answer within 30 s")
    assert (seen.executions, seen.workflows, seen.is_whole) == (2, 2, True)
    assert (await look(api, caller_of(api.user()))).failing.most == []


@pytest.mark.parametrize(
    ("until", "waiting", "said"),
    [
        (datetime(2031, 5, 6, 18, 1, tzinfo=UTC), 0, "a.example is left alone until 18:01 UTC because it failed"),
        (None, 2, "a.example failed and is being tried again, 2 steps waiting for it"),
    ],
)
def test_a_breaker_is_told_as_it_stands(until: datetime | None, waiting: int, said: str) -> None:
    """No time that has passed is named."""
    wrong = [Trouble("breaker", about="a.example", why="away", count=waiting, until=until)]
    assert [part.text for part in parts_of(wrong, Failing([], 0, 0, is_whole=True), Caller(uuid4(), "admin"))] == [said]


async def test_what_is_wrong_is_told_to_who_may_know_it(api: Api, user: User, admin: User, log: Log) -> None:
    """An alert that fires, an open breaker: for who may operate. Kafka that does not answer: for everybody."""
    statement = "INSERT INTO alert_states (name, subjects, past) VALUES ('HeadraceRoleDown', %s, '[]')"
    await log.connection.execute(statement, ('{"sink": [1, 2, 1, true], "matcher": [1, 2, 1, false]}',))
    away, past = (f"{name}-{uuid4().hex}.example.com" for name in ("away", "past"))
    breakers = """
    INSERT INTO breakers (destination, closed, reason, until) VALUES
      (%s, false, 'away', now() + interval '1 minute'), (%s, false, 'away', now() - interval '1 minute')
    """
    await log.connection.execute(breakers, (away, past))
    try:
        api.now[0] += 5
        theirs = (await look(api, caller_of(admin, "admin"))).wrong
        assert ("alert", "No sink runs") in [(one.kind, one.about) for one in theirs]
        # The other's time has passed, and nothing waits for it: the next step that comes tries it.
        assert {one.about for one in theirs if one.kind == "breaker"} & {away, past} == {away}
        assert not any("matcher" in one.about for one in theirs)
        api.sender.reachable = False
        mine = (await look(api, caller_of(user))).wrong
        assert "kafka" in [one.about for one in mine if one.kind == "away"]
        # Other tests leave records in the outbox of the shared database, which are late in time: that is for everybody.
        assert {one.kind for one in mine} - {"late"} == {"away"}
    finally:
        await log.connection.execute("DELETE FROM alert_states")
        await log.connection.execute("DELETE FROM breakers WHERE destination IN (%s, %s)", (away, past))
