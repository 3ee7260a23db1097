"""Any course of events: receipts in Postgres answer as those in memory do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.postgres.pool import Pool
from app.domain.errors import SupersededError
from app.ports import Busy, Claim, Receipts
from tests.support.receipt_worlds import MATCHED, MemoryWorld, PostgresWorld, World, a_claim, tagging

pytestmark = pytest.mark.postgres

_STEP = st.one_of(
    st.tuples(st.just("restart"), st.integers(0, 1), st.just(())),
    st.tuples(st.just("expire"), st.just(0), st.just(())),
    *(
        st.tuples(st.just(name), st.integers(0, 1), st.lists(st.integers(0, 5), min_size=1, max_size=4))
        for name in ("claim", "finish", "release", "surely", "apply")
    ),
)


@dataclass
class Course:
    """A course of events in one world, and everything that was answered."""

    world: World
    claims: list[Claim]
    processes: list[Receipts] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    async def start(self) -> None:
        """Start a process of each of two instances."""
        self.processes = [await self.world.process(f"executor/{number}") for number in range(2)]

    async def step(self, name: str, number: int, picked: Sequence[int]) -> None:
        """Let one thing happen."""
        claims = [self.claims[index] for index in picked]
        ids = list(dict.fromkeys(claim.command_id for claim in claims))
        process = self.processes[number]
        try:
            if name == "restart":
                self.processes[number] = await self.world.process(f"executor/{number}")
            elif name == "expire":
                await self.world.expire()
                self.processes = [await self.world.process(f"executor/{number}") for number in range(2)]
            elif name == "claim":
                self.answers.append([_plain(outcome) for outcome in await process.claim(claims)])
            elif name == "finish":
                results = [(command_id, {"by": number, "n": len(self.answers)}) for command_id in ids]
                self.answers.append(await process.finish(results))
            elif name == "apply":
                self.answers.append([_plain(outcome) for outcome in await process.apply(claims, tagging(claims))])
            else:
                await process.release(ids, uncertain=name == "release")
        except SupersededError:
            self.answers.append("superseded")


def _plain(outcome: object) -> object:
    # How long is left of a lease is the clocks' affair.
    return "busy" if isinstance(outcome, Busy) else outcome


def _claims() -> list[Claim]:
    """Six commands of three executions, which get in each other's way by version, attempt and parking."""
    first, second, third = uuid4(), uuid4(), uuid4()
    shared = uuid4()
    return [
        a_claim(execution_id=first),
        a_claim(execution_id=first, version=2, matched_at=MATCHED + timedelta(seconds=1)),
        a_claim(execution_id=first, version=2, attempt=2, matched_at=MATCHED + timedelta(seconds=2)),
        a_claim(execution_id=second, command_id=shared, first=False),
        a_claim(execution_id=second, command_id=shared, first=False, parked=1),
        a_claim(execution_id=third),
    ]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEP, min_size=1, max_size=12))
async def test_memory_and_postgres_agree(pool: Pool, steps: list[tuple[str, int, Sequence[int]]]) -> None:
    """The same steps, the same answers, the same tags."""
    claims = _claims()
    memory, postgres = Course(MemoryWorld(), claims), Course(PostgresWorld(pool), claims)
    for course in (memory, postgres):
        await course.start()
        for step in steps:
            await course.step(*step)
    assert memory.answers == postgres.answers
    mine = {(str(claim.command_id), "vip") for claim in claims}
    assert await memory.world.tags() == await postgres.world.tags() & mine
