"""Rules on the real stack, whatever is killed: a budget of three runs, one entry an entity, timers that fire once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.site import Site, event, running_site
from tests.support.postgres import new_database
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

BUDGET: Final = 3
TAG: Final = {"type": "apply_tag", "config": {"tag": "entered"}}


@pytest.fixture(scope="module")
async def site(
    kafka: str, postgres: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """Every role as a process, with a small budget."""
    home: Path = tmp_path_factory.mktemp("site")
    with new_database(postgres, template=migrated_template) as database_url:
        async with running_site(kafka, database_url, home, {"HEADRACE_RUN_BUDGET": str(BUDGET)}) as running:
            yield running


@asynccontextmanager
async def chainless_system(site: Site, kind: str, customer: str) -> AsyncIterator[None]:
    """Run a system that answers each webhook with an event of its own, and says nothing of where it came from."""

    async def answer() -> None:
        for answered in count():
            await eventually(partial(_received_more_than, site, answered), within=600)
            await site.stack.emitter.emit(event(kind, customer))

    task = asyncio.create_task(answer())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_system_that_drops_the_chain_is_stopped_by_the_budget(site: Site) -> None:
    """Exactly so many runs, each with its effect, then blocked; another entity runs (HEADRACE_RUN_BUDGET)."""
    hook = {"type": "webhook", "config": {"url": f"{site.receiver.url}/echo"}}
    workflow, kind = await site.workflow(hook)
    marker, marked = await site.workflow(hook | {"config": {"url": f"{site.receiver.url}/marker"}}, settle=True)
    first = event(kind)
    async with chainless_system(site, kind, first["subject"]):
        await site.stack.emitter.emit(first)
        await eventually(lambda: statuses(site, workflow, "blocked"), within=30, what="the loop's end")
        # What goes the same way behind a run too many tells that there was none; its own event is blocked as well.
        last = event(marked, first["subject"])
        await site.stack.emitter.emit(last)
        await site.row(marker, last)
        await eventually(lambda: two_blocked(site, workflow), within=30, what="the marker's own echo")
    ran = [delivery for delivery in site.receiver.deliveries if delivery.path == "/echo"]
    assert len(ran) == BUDGET
    assert await statuses(site, workflow) == ["success"] * BUDGET + ["blocked"] * 2
    rows = await site.fetch("SELECT error_message FROM automation_logs WHERE status = 'blocked'")
    assert all("over its budget: it has run 3 times" in row["error_message"] for row in rows)
    other = event(kind)
    await site.stack.emitter.emit(other)
    assert (await site.row(workflow, other))["status"] == "success"


def _received_more_than(site: Site, number: int) -> bool:
    return site.receiver.count > number


async def statuses(site: Site, workflow: object, *only: str) -> list[str]:
    """Return the statuses of a workflow's rows, in order of matching."""
    rows = await site.fetch(
        "SELECT status FROM automation_logs WHERE automation_id = %s ORDER BY executed_at", workflow
    )
    return [row["status"] for row in rows if not only or row["status"] in only]


async def two_blocked(site: Site, workflow: object) -> bool:
    """Tell whether two executions were blocked."""
    return len(await statuses(site, workflow, "blocked")) == 2


async def explained(site: Site, workflow: Any, sent: dict[str, Any]) -> tuple[str, str]:
    """Return status and explanation of an event's execution, as the API tells them."""
    row = await site.row(workflow, sent)
    answer, _ = await site.stack.api.call("GET", f"/api/v1/executions/{row['id']}")
    return answer["status"], answer["explanation"]


async def test_an_entity_enters_once_whatever_is_killed(site: Site) -> None:
    """The second event of a customer is skipped, also after a kill -9 of the matcher; another customer enters."""
    workflow, kind = await site.workflow(TAG, reentry="once")
    first = event(kind)
    second, third, other = event(kind, first["subject"]), event(kind, first["subject"]), event(kind)
    await site.stack.emitter.emit_many([first, second])
    assert (await explained(site, workflow, first))[0] == "success"
    status, why = await explained(site, workflow, second)
    assert (status, why[:38]) == ("skipped", "Did not run, although it has no condit")
    assert why.endswith("and may enter it only once.")
    site.stack.worker("matcher").kill()
    site.stack.worker("matcher").start()
    await site.stack.ready()
    await site.stack.emitter.emit_many([third, other])
    assert (await explained(site, workflow, third))[0] == "skipped"
    assert (await explained(site, workflow, other))[0] == "success"
    rows = await site.fetch("SELECT attempt, conditions_met FROM automation_logs WHERE status = 'skipped'")
    assert {(row["attempt"], row["conditions_met"]) for row in rows} >= {(0, True)}


async def test_delays_fire_once_though_a_scheduler_is_killed(site: Site) -> None:
    """200 delays that end within two seconds, two schedulers, one killed half-way: one note each, none early."""
    site.stack.add("scheduler")
    await site.stack.ready()
    wait = {"type": "delay", "config": {"until": "{{ until }}"}}
    workflow, kind = await site.workflow(wait, {"type": "create_note", "config": {"text": "{{ event.id }}"}})
    begin = datetime.now(UTC) + timedelta(seconds=4)
    sent = [event(kind, until=(begin + timedelta(milliseconds=10 * n)).isoformat()) for n in range(200)]
    await site.stack.emitter.emit_many(sent)
    await eventually(partial(noted, site, sent, 100), within=30, what="the first half")
    site.stack.worker("scheduler", "1").kill()
    await eventually(partial(noted, site, sent, 200), within=30, what="the second half")
    site.stack.worker("scheduler", "1").start()
    await site.stack.ready()
    rows = [await site.row(workflow, one) for one in sent]
    assert {(row["status"], row["attempt"]) for row in rows} == {("success", 1)}
    notes = await site.fetch("SELECT text FROM crm.notes WHERE text = ANY(%s)", [one["id"] for one in sent])
    assert sorted(note["text"] for note in notes) == sorted(one["id"] for one in sent)

    async def no_timer() -> bool:
        return await site.fetch("SELECT 1 FROM timers") == []

    await eventually(no_timer, what="the timers to be gone")  # a timer is deleted after its record is sent
    for row in rows:
        delay, note = row["actions_executed"]
        assert note["executed_at"] >= delay["output"]["until"]


async def noted(site: Site, sent: list[dict[str, Any]], count: int) -> bool:
    """Tell whether so many of the events have their note, or more."""
    notes = await site.fetch("SELECT 1 FROM crm.notes WHERE text = ANY(%s)", [one["id"] for one in sent])
    return len(notes) >= count


async def test_a_cart_enters_once_whoever_it_is_of(site: Site) -> None:
    """``reentry`` by a field: of two customers' events of one cart the first runs; without a cart none does."""
    workflow, kind = await site.workflow(TAG, reentry={"once_per": "1 hour", "key": "cart.id"})
    first, second, other, none = (event(kind) for _ in range(4))
    for one, cart in ((first, "k-1"), (second, "k-1"), (other, "k-2")):
        one["data"] = {**one["data"], "cart": {"id": cart}}
    await site.stack.emitter.emit(first)
    assert (await explained(site, workflow, first))[0] == "success"
    await site.stack.emitter.emit_many([second, other, none])
    status, why = await explained(site, workflow, second)
    assert (status, why.endswith(", and may enter it once per 1 hour.")) == ("skipped", True)
    assert 'an event with cart.id "k-1" entered the workflow at ' in why
    assert (await explained(site, workflow, other))[0] == "success"
    status, why = await explained(site, workflow, none)
    assert (status, "cart.id is missing" in why) == ("skipped", True)


async def test_the_next_window_lets_in_again(site: Site) -> None:
    """``once per 2 s``: an event within the window is skipped, one after it runs."""
    workflow, kind = await site.workflow(TAG, reentry="once per 2 s")
    first = event(kind)
    await site.stack.emitter.emit_many([first, within := event(kind, first["subject"])])
    assert (await explained(site, workflow, first))[0] == "success"
    assert (await explained(site, workflow, within))[0] == "skipped"

    async def runs_again() -> bool:
        later = event(kind, first["subject"])
        await site.stack.emitter.emit(later)
        return (await explained(site, workflow, later))[0] == "success"

    await eventually(runs_again, every=0.5, within=10, what="the next entry")
    entered = await site.fetch("SELECT executions FROM entries WHERE workflow_id = %s", workflow)
    assert [len(row["executions"]) for row in entered] == [2]
