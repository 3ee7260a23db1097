"""Readiness of a process: what it asks, what it makes of what does not answer, and of too many starts."""

import asyncio
from datetime import UTC, datetime

import pytest

from app.domain.errors import NotReadyError, UnreachableError
from app.services.operations.background import Failures
from app.services.operations.health import Check, Health
from app.services.operations.heartbeats import MOST_RESTARTS, PROVEN_S, HeartbeatWriter, this_process
from app.services.operations.table_check import TableAge
from tests.support.heartbeats import MemoryHeartbeats

GOOD = Check(ok=True, detail="answers")


async def answers() -> str:
    """A probe of what is well."""
    return "answers"


async def test_what_answers_is_well_and_what_raises_says_why() -> None:
    """In its own words if the error is ours; of any other its kind alone, which is noted as a failure."""

    async def away() -> str:
        raise UnreachableError("Kafka does not answer")

    async def broken() -> str:
        raise ValueError("quotes a secret")

    failures = Failures()
    health = Health(failures)
    for name, probe in {"well": answers, "away": away, "broken": broken}.items():
        health.watch(name, probe)
    assert set(health.problems()) == {"well", "away", "broken"}  # nothing is known before it was asked
    await health.look()
    assert health.checks()["well"] == GOOD
    assert health.problems() == {
        "away": "Kafka does not answer",
        "broken": "internal error: ValueError",
        "background": "readiness failed; the log says how",
    }


async def test_what_hangs_is_asked_once_and_answers_when_it_can() -> None:
    """The others' answers do not wait for it, and it is not asked again while it is still asked."""
    now, asked, go = [0.0], [0], asyncio.Event()

    async def hanging() -> str:
        asked[0] += 1
        await go.wait()
        return "answers"

    health = Health(Failures(), lambda: now[0])
    health.watch("hanging", hanging)
    health.watch("well", answers)
    await health.look(within=0.01)
    now[0] = 9.0
    checks = await health.look(within=0.01)
    assert (checks["hanging"], checks["well"], asked) == (Check(ok=False, detail="no answer for 9 s"), GOOD, [1])
    go.set()
    assert (await health.look())["hanging"] == GOOD
    assert (await health.look())["hanging"] == GOOD
    assert asked == [2]


async def test_how_long_nothing_answers_is_told_over_every_time_it_was_asked() -> None:
    """Each question has a time of its own, after which the next is put; the silence goes on since the last answer."""
    now, silent, ends = [0.0], [False], asyncio.Event()

    async def asked() -> str:
        if silent[0]:
            await ends.wait()
            raise UnreachableError("Kafka does not answer")
        return "answers"

    health = Health(Failures(), lambda: now[0])
    health.watch("kafka", asked)
    assert (await health.look())["kafka"] == GOOD
    silent[0], now[0] = True, 5.0
    assert (await health.look(within=0.01))["kafka"].detail == "no answer for 5 s"
    ends.set()
    assert (await health.look())["kafka"].detail == "Kafka does not answer"
    ends.clear()
    now[0] = 80.0
    assert (await health.look(within=0.01))["kafka"].detail == "no answer for 80 s"
    silent[0] = False
    ends.set()
    await health.look()
    assert (await health.look())["kafka"] == GOOD


async def test_two_who_look_at_once_ask_once() -> None:
    """As the API's /readyz, which is everybody's to ask."""
    asked = [0]

    async def counted() -> str:
        asked[0] += 1
        await asyncio.sleep(0)
        return "answers"

    health = Health(Failures())
    health.watch("counted", counted)
    found = await asyncio.gather(*(health.look() for _ in range(20)))
    assert ({checks["counted"] for checks in found}, asked) == ({GOOD}, [1])


async def test_a_process_that_is_started_again_and_again_is_not_ready() -> None:
    """Until it has run for two minutes; its first restarts are nobody's business."""
    store, now = MemoryHeartbeats(), [0.0]

    async def started() -> HeartbeatWriter:
        process = this_process("sink", "1", datetime.now(UTC))
        beats = HeartbeatWriter(store, process, problems=dict, figures=dict, clock=lambda: now[0])
        await beats.beat()
        return beats

    for times in range(MOST_RESTARTS):
        assert await (await started()).restarts() == f"{times} within 10 minutes"
    last = await started()
    with pytest.raises(NotReadyError, match="started again 3 times within 10 minutes"):
        await last.restarts()
    now[0] += PROVEN_S
    assert await last.restarts() == "3 within 10 minutes"


async def test_a_table_is_fresh_once_it_is_complete_and_while_it_equals_postgres() -> None:
    """A comparison that fails, or finds something, is no reason yet; two of them in a row are."""
    now = [0.0]
    age = TableAge(300, lambda: now[0])
    with pytest.raises(NotReadyError, match="not read to its end"):
        await age.probe()
    age.complete = True
    now[0] = 600.0
    assert await age.probe()
    now[0] = 631.0
    with pytest.raises(NotReadyError, match="has not equalled Postgres for 631 s"):
        await age.probe()
    age.note_equal()
    assert await age.probe()
