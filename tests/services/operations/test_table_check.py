"""The comparison of the workflow table with Postgres: finds what is missed, and only that."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from app.domain.errors import UnreachableError
from app.services.operations.table_check import TableAge, TableCheck, behind
from app.services.workflows.index import WorkflowIndex
from tests.support.waiting import eventually
from tests.tables.revisions import revision, workflow_id

GRACE_S = 0.05
versions = st.dictionaries(st.sampled_from([UUID(int=n) for n in range(6)]), st.integers(1, 4))


class Stored:
    """What Postgres holds, in memory.

    Attributes:
        held: Versions by workflow.
        again: What was asked to be sent again.
        reachable: False: Postgres is away.
    """

    def __init__(self, held: Mapping[UUID, int]) -> None:
        self.held = held
        self.again: list[UUID] = []
        self.reachable = True

    async def versions(self) -> Mapping[UUID, int]:
        """Read."""
        if not self.reachable:
            raise UnreachableError("Postgres does not answer (told so by the test)")
        return self.held

    async def send_again(self, workflow_ids: Sequence[UUID]) -> None:
        """Remember."""
        self.again += workflow_ids


def check(index: WorkflowIndex, stored: Stored) -> TableCheck:
    """A check with a short grace."""
    return TableCheck(index, stored, age=TableAge(0.01), every_s=0.01, grace_s=GRACE_S, catching_up_s=GRACE_S)


@given(versions, versions)
def test_behind_is_what_the_table_lacks_or_has_older(table: dict[UUID, int], stored: dict[UUID, int]) -> None:
    """Every workflow that is older or missing is named with the version it should have, and no other."""
    found = behind(table, stored)
    for workflow in table.keys() | stored.keys():
        older = workflow in stored and (workflow not in table or table[workflow] < stored[workflow])
        assert (found.get(workflow) == stored[workflow]) if older else (workflow not in found)


async def test_an_equal_table_is_left_alone() -> None:
    """Nothing is sent again where nothing was missed, newer entries included."""
    index = WorkflowIndex()
    index.apply(revision(0, 3))
    stored = Stored({workflow_id(0): 2})
    assert await check(index, stored).check() == {}
    assert stored.again == []


async def test_what_was_missed_is_sent_again() -> None:
    """A workflow that is missing and one that is old are sent again, the others not."""
    index = WorkflowIndex()
    index.apply(revision(0, 1))
    index.apply(revision(1, 1))
    stored = Stored({workflow_id(0): 1, workflow_id(1): 2, workflow_id(2): 5})
    assert await check(index, stored).check() == {workflow_id(1): 2, workflow_id(2): 5}
    assert sorted(stored.again) == sorted([workflow_id(1), workflow_id(2)])


async def test_a_change_on_its_way_is_no_finding() -> None:
    """A suspect that catches up within the grace is not reported."""
    index = WorkflowIndex()
    stored = Stored({workflow_id(0): 1})
    checking = asyncio.create_task(check(index, stored).check())
    await asyncio.sleep(0)
    index.apply(revision(0, 1))
    assert await checking == {}
    assert stored.again == []


async def test_it_begins_when_the_table_is_complete_and_outlives_an_outage() -> None:
    """A table that is still being read is not compared; Postgres being away ends nothing."""
    index = WorkflowIndex()
    stored = Stored({workflow_id(0): 1})
    stored.reachable = False
    before = _unreachable()
    running = asyncio.create_task(check(index, stored).run())
    await asyncio.sleep(0)
    assert _unreachable() == before
    index.complete.set()
    await eventually(lambda: _unreachable() > before)
    stored.reachable = True
    await eventually(lambda: stored.again)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def _unreachable() -> float:
    return REGISTRY.get_sample_value("headrace_workflow_table_checks_total", {"outcome": "unreachable"}) or 0.0


class Sending(Stored):
    """Postgres, a relay and a changelog: what is sent again arrives at the table."""

    def __init__(self, held: Mapping[UUID, int], index: WorkflowIndex) -> None:
        super().__init__(held)
        self.index = index

    async def send_again(self, workflow_ids: Sequence[UUID]) -> None:
        """Send after a moment."""
        await super().send_again(workflow_ids)
        asyncio.get_running_loop().call_later(GRACE_S, self._arrive, workflow_ids)

    def _arrive(self, workflow_ids: Sequence[UUID]) -> None:
        for number in range(6):
            if workflow_id(number) in workflow_ids:
                self.index.apply(revision(number, self.held[workflow_id(number)]))


@asynccontextmanager
async def catching_up(index: WorkflowIndex, stored: Stored, within_s: float) -> AsyncIterator[TableCheck]:
    """A check that runs beside, of a table that was read to its end."""
    index.complete.set()
    checking = TableCheck(index, stored, age=TableAge(60), every_s=60, catching_up_s=within_s)
    running = asyncio.create_task(checking.run())
    yield checking
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_events_wait_for_what_a_lost_changelog_lacks() -> None:
    """An empty changelog is read to its end at once; events are let through when all that Postgres holds is there."""
    index = WorkflowIndex()
    stored = Sending({workflow_id(0): 3, workflow_id(1): 1}, index)
    async with catching_up(index, stored, 60) as checking:
        await eventually(lambda: stored.again)
        assert not checking.caught_up.is_set()
        await eventually(checking.caught_up.is_set)
    assert index.versions() == stored.held


async def test_events_do_not_wait_where_nothing_lacks() -> None:
    """An equal table lets them through after one look."""
    index = WorkflowIndex()
    index.apply(revision(0, 1))
    async with catching_up(index, Stored({workflow_id(0): 1}), 60) as checking:
        await eventually(checking.caught_up.is_set)


@pytest.mark.parametrize("reachable", [True, False])
async def test_events_wait_for_a_bounded_time(*, reachable: bool) -> None:
    """A workflow that never comes, or a Postgres that does not answer, holds them only so long."""
    index = WorkflowIndex()
    stored = Stored({workflow_id(0): 1})
    stored.reachable = reachable
    async with catching_up(index, stored, GRACE_S) as checking:
        await eventually(checking.caught_up.is_set)
    assert stored.again == ([workflow_id(0)] if reachable else [])


class Faulty(Stored):
    """Postgres refuses one workflow, and with it whatever is asked for in the same statement."""

    async def send_again(self, workflow_ids: Sequence[UUID]) -> None:
        """Remember, or refuse."""
        if workflow_id(1) in workflow_ids:
            raise ZeroDivisionError
        await super().send_again(workflow_ids)


async def test_one_workflow_that_cannot_be_sent_again_keeps_no_other_back() -> None:
    """The others are sent again; the one at fault is counted as a failure of the task."""
    before = _failed()
    stored = Faulty({workflow_id(number): 1 for number in range(4)})
    assert len(await check(WorkflowIndex(), stored).check()) == 4
    assert sorted(stored.again) == sorted(workflow_id(number) for number in (0, 2, 3))
    assert _failed() == before + 1


def _failed() -> float:
    return REGISTRY.get_sample_value("headrace_background_failures_total", {"task": "table_check"}) or 0.0
