"""What receipts promise, in memory and in Postgres alike: claims, leases, results, fencing."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.errors import SupersededError
from app.ports import Busy, Claimed, Done, Dropped
from tests.support.receipt_worlds import MATCHED, World, a_claim, a_park


async def test_a_new_command_is_claimed(world: World) -> None:
    """Nobody has tried it: it is ours, and not uncertain."""
    process = await world.process("executor/1")
    assert await process.claim([a_claim(), a_claim(first=False)]) == [Claimed(MATCHED, uncertain=False)] * 2


async def test_no_claims_no_outcomes(world: World) -> None:
    """An empty batch is answered with nothing."""
    process = await world.process("executor/1")
    assert await process.claim([]) == []
    assert await process.finish([]) == []


async def test_a_live_lease_keeps_strangers_waiting(world: World) -> None:
    """A stranger is told to ask again within a second."""
    one, two = await world.process("executor/1"), await world.process("executor/2")
    claim = a_claim()
    await one.claim([claim])
    [outcome] = await two.claim([claim])
    assert isinstance(outcome, Busy)
    assert 0 < outcome.retry_after <= 1


async def test_a_command_in_work_here_is_busy(world: World) -> None:
    """The same process claims it once only, be it twice in a batch or in two."""
    process = await world.process("executor/1")
    claim = a_claim()
    first, second = await process.claim([claim, claim])
    assert isinstance(first, Claimed)
    assert isinstance(second, Busy)
    assert isinstance((await process.claim([claim]))[0], Busy)


async def test_a_done_command_gives_its_result(world: World) -> None:
    """Whoever asks after the finish gets the stored result, and never the claim."""
    one, two = await world.process("executor/1"), await world.process("executor/2")
    claim = a_claim()
    await one.claim([claim])
    assert await one.finish([(claim.command_id, {"n": 1})]) == [{"n": 1}]
    for process in (one, two):
        assert await process.claim([claim]) == [Done(MATCHED, {"n": 1})]


async def test_an_expired_lease_is_taken_over_as_uncertain(world: World) -> None:
    """The effect may have happened: the new holder knows; the old holder's result counts for nothing."""
    one, two = await world.process("executor/1"), await world.process("executor/2")
    claim = a_claim()
    await one.claim([claim])
    await world.expire()
    assert await two.claim([claim]) == [Claimed(MATCHED, uncertain=True)]
    assert await one.finish([(claim.command_id, {"by": "one"})]) == [None], "nothing is stored yet"
    assert await two.finish([(claim.command_id, {"by": "two"})]) == [{"by": "two"}]
    assert await one.finish([(claim.command_id, {"by": "one"})]) == [{"by": "two"}]
    assert await one.claim([claim]) == [Done(MATCHED, {"by": "two"})]


async def test_an_expired_lease_of_which_nobody_took_over_still_finishes(world: World) -> None:
    """Late is not lost: without a new holder the result is stored."""
    process = await world.process("executor/1")
    claim = a_claim()
    await process.claim([claim])
    await world.expire()
    assert await process.finish([(claim.command_id, {"n": 1})]) == [{"n": 1}]
    assert await process.claim([claim]) == [Done(MATCHED, {"n": 1})]


async def test_a_result_of_a_lost_lease_is_never_what_counts(world: World) -> None:
    """Released by who took over, or finished beside others of the batch: each is answered for itself."""
    one, two = await world.process("executor/1"), await world.process("executor/2")
    kept, lost, finished = claims = [a_claim(), a_claim(), a_claim()]
    await one.claim([lost, finished])
    await world.expire()
    await one.claim([kept])
    await two.claim([lost, finished])
    await two.release([lost.command_id], uncertain=False)
    await two.finish([(finished.command_id, {"by": "two"})])
    answers = await one.finish([(claim.command_id, {"by": "one"}) for claim in claims])
    assert answers == [{"by": "one"}, None, {"by": "two"}]
    assert await one.claim([lost]) == [Claimed(MATCHED, uncertain=True)]
    assert await one.finish([(lost.command_id, {"by": "one"})]) == [{"by": "one"}]


async def test_a_restarted_process_takes_over_at_once(world: World) -> None:
    """What the instance's older process had claimed is claimed again without waiting, and uncertain."""
    old = await world.process("executor/1")
    claims = [a_claim(), a_claim()]
    await old.claim(claims)
    new = await world.process("executor/1")
    assert await new.claim(claims) == [Claimed(MATCHED, uncertain=True)] * 2


async def test_a_superseded_process_gets_nothing(world: World) -> None:
    """Only the newest incarnation may claim or apply; nothing of the refused batch happens."""
    old = await world.process("executor/1")
    new = await world.process("executor/1")
    claim = a_claim()
    with pytest.raises(SupersededError):
        await old.claim([claim])
    assert await new.claim([claim]) == [Claimed(MATCHED, uncertain=False)]


@pytest.mark.parametrize("uncertain", [False, True])
async def test_a_released_claim_is_free_at_once(world: World, *, uncertain: bool) -> None:
    """The next claim succeeds, and is uncertain only where an attempt was made."""
    one, two = await world.process("executor/1"), await world.process("executor/2")
    claim = a_claim()
    await one.claim([claim])
    await one.release([claim.command_id], uncertain=uncertain)
    assert await two.claim([claim]) == [Claimed(MATCHED, uncertain=uncertain)]


async def test_only_the_holder_can_release(world: World) -> None:
    """A process that lost its lease cannot free the new holder's claim."""
    one, two = await world.process("executor/1"), await world.process("executor/2")
    claim = a_claim()
    await one.claim([claim])
    await world.expire()
    await two.claim([claim])
    await one.release([claim.command_id], uncertain=False)
    three = await world.process("executor/3")
    assert isinstance((await three.claim([claim]))[0], Busy)


async def test_uncertainty_is_not_forgotten(world: World) -> None:
    """Once an attempt was left unfinished, a release for sure of a later one does not make it certain."""
    one, two = await world.process("executor/1"), await world.process("executor/2")
    claim = a_claim()
    await one.claim([claim])
    await world.expire()
    await two.claim([claim])
    await two.release([claim.command_id], uncertain=False)
    three = await world.process("executor/3")
    assert await three.claim([claim]) == [Claimed(MATCHED, uncertain=True)]


async def test_an_outdated_parked_copy_is_dropped(world: World) -> None:
    """A copy that was parked less often than the receipt says must not run; an equal one does."""
    process = await world.process("executor/1")
    claim = a_claim(parked=2)
    await process.claim([claim])
    await process.release([claim.command_id], uncertain=False)
    assert await process.claim([replace(claim, parked=1)]) == [Dropped("parked")]
    assert await process.claim([claim]) == [Claimed(MATCHED, uncertain=False)]


async def test_the_first_writer_fixes_version_and_time(world: World) -> None:
    """A later copy of the execution adopts the time; one of another version is dropped."""
    process = await world.process("executor/1")
    claim = a_claim()
    await process.claim([claim])
    await process.finish([(claim.command_id, {})])
    later = replace(claim, matched_at=MATCHED + timedelta(seconds=5))
    assert await process.claim([later]) == [Done(MATCHED, {})]
    other = replace(later, command_id=a_claim().command_id, version=2)
    assert await process.claim([other]) == [Dropped("version")]
    assert await process.claim([replace(other, version=1)]) == [Claimed(MATCHED, uncertain=False)]


async def test_a_higher_attempt_takes_the_execution_over(world: World) -> None:
    """With it its version counts; the lower attempt is dropped from then on, also within one batch."""
    process = await world.process("executor/1")
    first = a_claim()
    await process.claim([first])
    second = replace(a_claim(), execution_id=first.execution_id, attempt=2, version=2)
    late = replace(a_claim(), execution_id=first.execution_id)
    assert await process.claim([late, second]) == [Dropped("attempt"), Claimed(MATCHED, uncertain=False)]


async def test_later_steps_are_not_held_against_the_execution(world: World) -> None:
    """A slip past its first step carries what that step's claim fixed: nothing is looked up."""
    process = await world.process("executor/1")
    first = a_claim(attempt=2)
    await process.claim([first])
    step = a_claim(execution_id=first.execution_id, first=False, version=9)
    assert await process.claim([step]) == [Claimed(MATCHED, uncertain=False)]


async def test_racing_processes_share_out_the_claims(world: World) -> None:
    """Two that claim the same commands at the same time, in opposite order: each is claimed exactly once."""
    one, two = await world.process("executor/1"), await world.process("executor/2")
    claims = [a_claim() for _ in range(50)]
    here, there = await asyncio.gather(one.claim(claims), two.claim(claims[::-1]))
    for mine, theirs in zip(here, there[::-1], strict=True):
        assert sorted([type(mine).__name__, type(theirs).__name__]) == ["Busy", "Claimed"]


async def test_a_result_is_stored_without_nul(world: World) -> None:
    """Postgres cannot hold a NUL character; the result that counts is the one it holds."""
    process = await world.process("executor/1")
    claim = a_claim()
    await process.claim([claim])
    assert await process.finish([(claim.command_id, {"body": "a\x00b"})]) == [{"body": "a\ufffdb"}]
    assert await process.claim([claim]) == [Done(MATCHED, {"body": "a\ufffdb"})]


async def test_a_parked_command_waits_for_its_next_copy(world: World) -> None:
    """Older copies are dropped, by any process; the next one is claimed at once, with what was uncertain."""
    one, two = await world.process("executor/1"), await world.process("executor/2")
    claims = [a_claim(), a_claim()]
    await one.claim(claims)
    await one.park([a_park(claims[0], uncertain=True), a_park(claims[1])])
    assert await world.timers() == {claim.command_id: "t.again" for claim in claims}
    assert await two.claim(claims) == [Dropped("parked")] * 2
    copies = [replace(claim, parked=1) for claim in claims]
    assert await two.claim(copies) == [Claimed(MATCHED, uncertain=True), Claimed(MATCHED, uncertain=False)]


async def test_a_command_is_parked_again_under_one_timer(world: World) -> None:
    """The second wait replaces the first one's timer."""
    process = await world.process("executor/1")
    claim = a_claim()
    await process.claim([claim])
    await process.park([a_park(claim)])
    await process.claim([replace(claim, parked=1)])
    await process.park([a_park(claim, parked=2, topic="t.second")])
    assert await world.timers() == {claim.command_id: "t.second"}
    assert await process.claim([replace(claim, parked=1)]) == [Dropped("parked")]


async def test_who_lost_the_lease_parks_nothing(world: World) -> None:
    """A stranger has taken the command over: its own wait or result counts, no timer of ours is set."""
    one, two = await world.process("executor/1"), await world.process("executor/2")
    claim = a_claim()
    await one.claim([claim])
    await world.expire()
    assert await two.claim([claim]) == [Claimed(MATCHED, uncertain=True)]
    await one.park([a_park(claim)])
    assert await world.timers() == {}
    result = {"by": "two"}
    assert await two.finish([(claim.command_id, result)]) == [result]
