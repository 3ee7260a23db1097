"""What receipts promise for effects of our own: they happen exactly once, with their result, or not at all."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import SupersededError
from app.ports import Claimed, Done, Dropped, EffectTransaction
from tests.support.receipt_worlds import MATCHED, World, a_claim, tagging


async def test_an_effect_happens_once(world: World) -> None:
    """Applied again, also by another process, the effect is not called; the stored result is the answer."""
    one, two = await world.process("executor/1"), await world.process("executor/2")
    claims = [a_claim(), a_claim(first=False)]
    calls: list[list[UUID]] = []
    done = [Done(MATCHED, {"applied": True})] * 2
    assert await one.apply(claims, tagging(claims, calls)) == done
    assert await two.apply(claims[::-1], tagging(claims[::-1], calls)) == done
    assert len(calls) == 1
    assert await world.tags() == {(str(claim.command_id), "vip") for claim in claims}


async def test_only_what_is_not_done_is_carried_out(world: World) -> None:
    """The effect gets the positions of what is left, and of a command that is in the batch twice, one."""
    process = await world.process("executor/1")
    old, new = a_claim(), a_claim()
    await process.apply([old], tagging([old]))
    claims, calls = [old, new, new], list[list[UUID]]()
    outcomes = await process.apply(claims, tagging(claims, calls))
    assert outcomes == [Done(MATCHED, {"applied": True})] * 3
    assert calls == [[new.command_id]]


async def test_an_effect_that_raises_undoes_the_batch(world: World) -> None:
    """Neither effects nor receipts of the batch stay, so that it can be applied again."""
    process = await world.process("executor/1")
    claims = [a_claim(), a_claim()]

    async def fails(own: EffectTransaction, indexes: Sequence[int]) -> dict[int, dict[str, Any]]:
        await tagging(claims)(own, indexes)
        raise LookupError

    with pytest.raises(LookupError):
        await process.apply(claims, fails)
    assert await world.tags() == set()
    other = [replace(claim, version=2) for claim in claims]
    assert await process.apply(other, tagging(claims)) == [Done(MATCHED, {"applied": True})] * 2


async def test_dropped_copies_are_not_carried_out(world: World) -> None:
    """Another version or a lower attempt changes nothing."""
    process = await world.process("executor/1")
    claim = a_claim(attempt=2)
    await process.apply([claim], tagging([claim]))
    copies = [
        a_claim(execution_id=claim.execution_id, attempt=1),
        a_claim(execution_id=claim.execution_id, attempt=2, version=2),
    ]
    assert await process.apply(copies, tagging(copies)) == [Dropped("attempt"), Dropped("version")]
    assert await world.tags() == {(str(claim.command_id), "vip")}


async def test_a_parked_receipt_is_respected(world: World) -> None:
    """An outdated copy is dropped, the newest one is carried out although its receipt exists."""
    process = await world.process("executor/1")
    claim = a_claim(parked=1)
    await process.claim([claim])
    await process.release([claim.command_id], uncertain=False)
    assert await process.apply([replace(claim, parked=0)], tagging([claim])) == [Dropped("parked")]
    assert await process.apply([claim], tagging([claim])) == [Done(MATCHED, {"applied": True})]
    assert await process.claim([claim]) == [Done(MATCHED, {"applied": True})]


async def test_a_superseded_process_applies_nothing(world: World) -> None:
    """The older process of an instance changes nothing any more."""
    old = await world.process("executor/1")
    new = await world.process("executor/1")
    claim = a_claim()
    with pytest.raises(SupersededError):
        await old.apply([claim], tagging([claim]))
    assert await world.tags() == set()
    assert await new.claim([claim]) == [Claimed(MATCHED, uncertain=False)]


async def test_racing_processes_apply_once(world: World) -> None:
    """Two that apply the same batch at the same time agree on the results of one of them."""
    one, two = await world.process("executor/1"), await world.process("executor/2")
    claims = [a_claim() for _ in range(20)]
    here, there = await asyncio.gather(
        one.apply(claims, tagging(claims)), two.apply(claims[::-1], tagging(claims[::-1]))
    )
    assert here == there[::-1] == [Done(MATCHED, {"applied": True})] * 20
    assert len(await world.tags()) == 20


async def test_a_result_is_stored_without_nul(world: World) -> None:
    """The answer is what is stored: a NUL character has become U+FFFD."""
    process = await world.process("executor/1")
    claim = a_claim()

    async def effect(_: EffectTransaction, indexes: Sequence[int]) -> dict[int, dict[str, Any]]:
        return {index: {"said": "a\x00b"} for index in indexes}

    assert await process.apply([claim], effect) == [Done(MATCHED, {"said": "a\ufffdb"})]
    assert await process.apply([claim], effect) == [Done(MATCHED, {"said": "a\ufffdb"})]
