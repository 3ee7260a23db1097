"""The queue as an operator reads it at night: what does not keep up, why, and the dead letters mended."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import expect
from psycopg.types.json import Jsonb

from app.domain.breaker import circuit_of, parts_of
from tests.admin.conftest import Api
from tests.admin.log import Log
from tests.admin.pages.conftest import EACH_LOOK, Somebody, Visit
from tests.admin.test_dead_letters import letter, outbox

_ROLES = ("matcher", "executor-notification", "executor-crm", "executor-workflow", "executor-system", "sink")
_BEAT = """
    INSERT INTO heartbeats (role, instance, host, pid, version, started_at, ready, problems, figures, starts)
    VALUES (%s, 'of-the-page', 'here', 1, '1', now(), true, '{}', %s, '{}')
    ON CONFLICT (role, instance) DO UPDATE SET seen_at = now(), figures = excluded.figures
"""
_BREAKER = """
    INSERT INTO breakers (destination, closed, until, reason, probes, successes)
    VALUES (%s, false, %s, 'the mail server does not answer', 3, 0)
"""


async def alive(log: Log, **oldest: float) -> None:
    """Have every role say that it works, some of them at one record for a while."""
    for role in _ROLES:
        still = oldest.get(role.replace("-", "_"), 0.0)
        figures = {"headrace_worker_unfinished_records": 7, "headrace_partition_still_seconds": still}
        await log.connection.execute(_BEAT, (role, Jsonb(figures)))


@pytest.fixture
async def queue(api: Api, log: Log) -> Any:
    """A queue of which every look asks anew; nobody is at work any more afterwards."""
    api.now[0] += 10
    yield api
    await log.connection.execute("DELETE FROM heartbeats WHERE instance = 'of-the-page'")
    await log.connection.execute("DELETE FROM breakers WHERE reason = 'the mail server does not answer'")


@pytest.mark.parametrize("look", EACH_LOOK)
async def test_what_does_not_keep_up_is_said_on_top_and_by_role(
    queue: Api, log: Log, visit: Visit, somebody: Somebody, look: dict[str, bool]
) -> None:
    """The lag, what is in hand, for how long; destinations left alone, with when they are probed next."""
    await alive(log, executor_notification=95.0)
    queue.depths.known.update({"t.actions.send_email": 1240, "t.events.order": 2})
    until = datetime.now(UTC) + timedelta(minutes=4)
    await log.connection.execute(_BREAKER, (circuit_of("smtp://mail.example.com:25", uuid4()), until))
    await letter(log, reason="not_json")
    async with visit(await somebody("admin"), **look) as window:
        page = window.page
        await window.go("/queue")
        assert await window.heading() == "Queue"
        await expect(page.get_by_role("link", name="1 role does not keep up")).to_be_visible()
        row = page.get_by_role("row", name="Messages")
        for cell in ("1,240", "7", "1.6 min", "Behind"):
            await expect(row.get_by_role("cell", name=cell, exact=True)).to_be_visible()
        await expect(page.get_by_role("row", name="Matching")).to_contain_text("Keeps up")
        left = page.get_by_role("row", name="smtp://mail.example.com:25")
        await expect(left).to_contain_text("the mail server does not answer")
        await expect(left).to_contain_text("in 3 min")
        await window.looked_at("queue")


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize("scripts", [False, True])
async def test_a_destination_that_is_tried_again_names_no_time_that_has_passed(
    log: Log, visit: Visit, somebody: Somebody, *, scripts: bool
) -> None:
    """Its circuit is half open, and a step waits for its turn; one with none is not shown."""
    await alive(log)
    tried, quiet = (circuit_of(f"https://{uuid4().hex}.example:443", uuid4()) for _ in range(2))
    for circuit in (tried, quiet):
        await log.connection.execute(_BREAKER, (circuit, datetime.now(UTC) - timedelta(minutes=9)))
    await log.connection.execute(
        "INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, destination, due,"
        " deadline, topic, key, value) VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'c', 0,"
        " 'circuit', '', %s, now(), now(), 't', '', '')",
        (tried,),
    )
    try:
        async with visit(await somebody("admin"), scripts=scripts) as window:
            page = window.page
            await window.go("/queue")
            if scripts:
                await expect(page.get_by_text("Live: it changes as the queue does.")).to_be_visible()
            row = page.get_by_role("row", name=parts_of(tried)[0])
            await expect(row.get_by_role("cell", name="now", exact=True)).to_be_visible()
            await expect(page.get_by_role("row", name=parts_of(quiet)[0])).to_have_count(0)
            await expect(page.get_by_role("link", name="1 destination is failing")).to_be_visible()
    finally:
        await log.connection.execute("DELETE FROM timers WHERE destination = %s", (tried,))


async def test_it_changes_as_the_queue_does(queue: Api, log: Log, visit: Visit, somebody: Somebody) -> None:
    """Without loading anew: depths, the pace, and the sentence on top."""
    await alive(log)
    async with visit(await somebody("admin")) as window:
        page = window.page
        await window.go("/queue")
        await expect(page.get_by_text("Live: it changes as the queue does.")).to_be_visible()
        queue.depths.known["t.events.order"] = 321
        queue.depths.at["t.events.order"] = 6000
        queue.now[0] += 10
        await alive(log, matcher=40.0)
        row = page.get_by_role("row", name="Matching")
        await expect(row).to_contain_text("321")
        await expect(row).to_contain_text("Behind")
        await expect(page.get_by_role("link", name="1 role does not keep up")).to_be_visible()


async def test_a_broker_that_is_down_is_said_in_words(queue: Api, log: Log, visit: Visit, somebody: Somebody) -> None:
    """What is known without it is shown all the same; and that the page is not live, and why."""
    await alive(log)
    queue.depths.reachable = False
    async with visit(await somebody("admin")) as window:
        await window.go("/queue")
        await expect(window.page.get_by_text("Kafka does not answer. Nothing is lost")).to_be_visible()
        await expect(window.page.get_by_text("Open dead letters")).to_be_visible()
        await expect(window.page.get_by_text("Not live: ")).to_be_visible()
        await window.looked_at("queue-without-kafka")
        await window.page.close()  # it asks again every few seconds
        window.wrong.clear()  # Chromium puts every 503 into the console


@pytest.mark.parametrize("look", EACH_LOOK)
async def test_a_dead_letter_says_why_and_is_replayed(
    log: Log, visit: Visit, somebody: Somebody, look: dict[str, bool]
) -> None:
    """What is wrong and what to do, in words; the record as text, whatever it holds; then it goes out again."""
    topic, key = "t.events.order", uuid4().bytes
    markup = b'{"note": "<script>alert(1)</script>"}'
    reason = "internal_error"
    number = await letter(log, topic=topic, key=key, value=markup, reason=reason, entity="<b>Ada</b>")
    async with visit(await somebody("admin"), **look) as window:
        page = window.page
        await window.go("/queue/dead-letters?state=open")
        await expect(page.get_by_text("Shown are those that are open")).to_be_visible()
        await expect(page.get_by_role("cell", name="<b>Ada</b>").first).to_be_visible()
        await window.looked_at("dead-letters")
        await window.go(f"/queue/dead-letters/{number}")
        assert await window.heading() == "Our own code failed on it"
        await expect(page.get_by_text('"note": "<script>alert(1)</script>"')).to_be_visible()
        await window.looked_at("dead-letter")
        await page.get_by_role("button", name="Replay").click()
        await expect(page.get_by_text("It was replayed.")).to_be_visible()
    assert len(await outbox(log, key)) == 1


async def test_many_are_discarded_at_once_once_that_is_asked(log: Log, visit: Visit, somebody: Somebody) -> None:
    """All of the page by one box; what cannot be replayed is counted, and left."""
    topic = f"t.{uuid4().hex}"
    numbers = [await letter(log, topic=topic) for _ in range(3)]
    async with visit(await somebody("admin")) as window:
        page = window.page
        await window.go(f"/queue/dead-letters?topic={topic}&state=open")
        await expect(page.get_by_role("button", name="Discard the chosen")).to_be_disabled()
        await page.get_by_role("checkbox", name=f"Choose number {numbers[0]}").check()
        await page.get_by_role("button", name="Replay the chosen").click()
        await page.get_by_role("dialog").get_by_role("button", name="Replay the chosen").click()
        await expect(page.get_by_text("0 records were replayed. 1 record could not be")).to_be_visible()
        await page.get_by_role("checkbox", name="Choose all on this page").check()
        await page.get_by_role("button", name="Discard the chosen").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("cannot be replayed")
        await dialog.get_by_role("button", name="Discard the chosen").click()
        await expect(page.get_by_text("3 records were discarded.")).to_be_visible()
        await expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()


async def test_who_may_not_operate_finds_no_queue(visit: Visit, somebody: Somebody) -> None:
    """Neither in the rail nor by its address."""
    async with visit(await somebody()) as window:
        await window.go("/queue")
        assert await window.heading() == "You may not do this"
        await expect(window.page.get_by_role("link", name="Queue")).to_have_count(0)
        window.wrong.clear()  # Chromium puts every 403 into the console
