"""The contract of ``WorkflowStore`` on drafts and restoring, on the fake and on Postgres."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import uuid4

import pytest

from app.adapters.postgres.workflows import PostgresWorkflows
from app.domain.callers import Caller
from app.domain.grants import Use
from app.domain.paging import NamePosition, Position
from app.ports.workflows import NEVER, Reference, WorkflowFilter, WorkflowSort, WorkflowStore
from schemas.workflow import Action, Trigger, Workflow
from tests.support.logins import api_of
from tests.support.memory_workflows import MemoryWorkflows

ANA, BEA, ADMIN = (Caller(uuid4(), role) for role in ("user", "user", "admin"))
BODY = {"name": "Next", "actions": [{"odd": [1, None, "\u2713"]}]}


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[WorkflowStore]:
    """One store after the other."""
    if request.param == "memory":
        fake = MemoryWorkflows()
        fake.absent = {"NO_SUCH", "nowhere"}
        yield fake
        return
    api = api_of(request.getfixturevalue("database"))
    yield PostgresWorkflows(api)
    await api.close()


async def stored(store: WorkflowStore, *, active: bool = True, name: str = "w") -> Workflow:
    """A workflow of Ana's."""
    now = datetime.now(UTC)
    new = Workflow(
        id=uuid4(), name=name, description="", active=active, priority=5, reentry="always",
        trigger=Trigger(type="order.paid"), conditions=[],
        actions=[Action(type="apply_tag", order=1, config={"tag": "t"})],
        version=1, created_by=ANA.user_id, created_at=now, updated_at=now,
    )  # fmt: skip
    async with store.transaction(ANA) as transaction:
        return await transaction.insert(new)


async def test_a_draft_is_kept_as_it_was_written(store: WorkflowStore) -> None:
    """Whatever it is; the workflow tells of it, and stays what it was."""
    workflow = await stored(store)
    assert (await store.draft(ANA, workflow.id), workflow.draft) == (None, None)
    async with store.transaction(ANA) as transaction:
        first = await transaction.save_draft(workflow.id, BODY, 1, 2)
        assert await transaction.draft(workflow.id) == first
    assert (first.body, first.based_on, first.changes, first.version) == (BODY, 1, 2, 1)
    assert first.saved_by == ANA.user_id
    assert await store.draft(ANA, workflow.id) == first
    told = await store.get(ANA, workflow.id)
    assert told is not None
    assert told.draft is not None
    assert told.model_copy(update={"draft": None}) == workflow
    assert (told.draft.version, told.draft.saved_at, told.draft.changes) == (1, first.saved_at, 2)
    assert await store.find(ANA, WorkflowFilter(), None, 9) == [told]


async def test_a_number_is_never_given_twice(store: WorkflowStore) -> None:
    """Neither to what is saved over it, nor to what comes after it was discarded."""
    workflow = await stored(store)
    numbers = []
    for discard in (False, True, False):
        async with store.transaction(ADMIN) as transaction:
            draft = await transaction.save_draft(workflow.id, BODY, 1, 0)
            numbers.append(draft.version)
            if discard:
                await transaction.discard_draft(workflow.id)
                assert await transaction.draft(workflow.id) is None
    assert numbers == sorted(set(numbers))
    assert draft.saved_by == ADMIN.user_id


async def test_a_transaction_that_fails_leaves_no_draft(store: WorkflowStore) -> None:
    """Nor anything else."""
    workflow = await stored(store)

    async def fail() -> None:
        async with store.transaction(ANA) as transaction:
            await transaction.save_draft(workflow.id, BODY, 1, 0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await store.draft(ANA, workflow.id) is None


async def test_drafts_and_revisions_are_seen_by_their_owner(store: WorkflowStore) -> None:
    """And by administrators; a deleted workflow's draft by nobody."""
    workflow = await stored(store)
    async with store.transaction(ANA) as transaction:
        await transaction.save_draft(workflow.id, BODY, 1, 0)
        assert (await transaction.revision(workflow.id, 1) or {})["name"] == "w"
    assert await store.draft(BEA, workflow.id) is None
    assert await store.revision(BEA, workflow.id, 1) is None
    assert await store.draft(ADMIN, workflow.id) is not None
    row = await store.revision(ADMIN, workflow.id, 1)
    assert row is not None
    assert (row["version"], row["written_by"], row["trigger"]["type"]) == (1, ANA.user_id, "order.paid")
    assert await store.revision(ADMIN, workflow.id, 2) is None
    async with store.transaction(ANA) as transaction:
        await transaction.update(workflow.model_copy(update={"active": False, "version": 2}), deleted=True)
    assert await store.draft(ANA, workflow.id) is None


async def test_what_is_deleted_comes_back_switched_off(store: WorkflowStore) -> None:
    """As a new version, with a revision of its own; only its owner and administrators find it."""
    workflow = await stored(store)
    async with store.transaction(ANA) as transaction:
        await transaction.update(workflow.model_copy(update={"active": False, "version": 2}), deleted=True)
    async with store.transaction(BEA) as transaction:
        assert await transaction.get(workflow.id, deleted=True) is None
    async with store.transaction(ANA) as transaction:
        gone = await transaction.get(workflow.id, deleted=True)
        assert gone is not None
        assert gone.deleted_at is not None
        assert await transaction.get(workflow.id) is None
        back = await transaction.restore(workflow.id)
    assert (back.version, back.active, back.deleted_at, back.actions) == (3, False, None, workflow.actions)
    assert await store.get(ANA, workflow.id) == back
    assert [row["deleted"] for row in await store.revisions(ANA, workflow.id, None, 9)] == [False, True, False]


async def test_a_secret_that_is_not_there_is_missed_where_it_is_needed(store: WorkflowStore) -> None:
    """Of what is to go live; of all else it may come yet. A channel is missed either way."""
    workflow = await stored(store)
    named = [Reference("a", "secret", "NO_SUCH"), Reference("b", "channel", "nowhere")]
    async with store.transaction(ANA) as transaction:
        use = Use(ANA.user_id, workflow.id)
        later = await transaction.missing(use, named, live=False)
        now = await transaction.missing(use, named, live=True)
    assert [one.name for one in later] == ["nowhere"]
    assert [(one.name, one.absent) for one in now] == [("NO_SUCH", True), ("nowhere", False)]
    assert now[0].missing.message == "secrets.NO_SUCH is not set; an administrator can store it"


@pytest.mark.parametrize("sort", get_args(WorkflowSort))
async def test_each_order_goes_on_where_its_page_ended(store: WorkflowStore, sort: WorkflowSort) -> None:
    """Page after page each once, as all of them in one page; two of the same name stand in the order of their ids."""
    made = [await stored(store, name=name) for name in ("b", "A", "c", "a", "B")]
    async with store.transaction(ANA) as transaction:
        await transaction.update(made[1].model_copy(update={"version": 2}), deleted=False)
    wanted = WorkflowFilter(sort=sort)
    everything = await store.find(ANA, wanted, None, 9)
    names = [one.name.lower() for one in everything]
    if sort.endswith("name"):
        assert names == sorted(names, reverse=sort.startswith("-"))
    if sort.endswith("updated_at"):
        assert (everything[0] if sort.startswith("-") else everything[-1]).id == made[1].id
    paged: list[Workflow] = []
    while True:
        after = _after(paged[-1], sort) if paged else None
        more = await store.find(ANA, wanted, after, 2)
        paged += more
        if len(more) < 2:
            break
    assert [one.id for one in paged] == [one.id for one in everything]
    assert len(everything) == 5


def _after(workflow: Workflow, sort: str) -> Position | NamePosition:
    name = sort.removeprefix("-")
    if name == "name":
        return NamePosition(workflow.name, workflow.id)
    return Position(getattr(workflow, name) or NEVER, workflow.id)


async def test_filters_hold(store: WorkflowStore) -> None:
    """Whose, with a draft or without, deleted or not."""
    one, two = await stored(store, name="one"), await stored(store, name="two", active=False)
    async with store.transaction(ANA) as transaction:
        await transaction.save_draft(one.id, BODY, 1, 0)
    gone = await stored(store, name="gone")
    async with store.transaction(ANA) as transaction:
        await transaction.update(gone.model_copy(update={"active": False, "version": 2}), deleted=True)

    async def names(**wanted: Any) -> set[str]:
        return {found.name for found in await store.find(ADMIN, WorkflowFilter(**wanted), None, 9)}

    assert await names(owner=ANA.user_id) == {"one", "two"}
    assert await names(owner=BEA.user_id) == set()
    assert await names(draft=True) == {"one"}
    assert await names(draft=False) == {"two"}
    assert await names(deleted=True) == {"gone"}
    assert await names(active=False) == {two.name}
    assert await names(search="ON") == {"one"}
