"""Drafts over the fake store: which version each was begun from, and two editors at the same moment."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from app.actions.configs import validate_config
from app.actions.registry import REGISTRY
from app.domain.callers import Caller
from app.domain.errors import ConflictError, InvalidError, NotPermittedError, StaleVersionError
from app.ports.workflows import StoredDraft
from app.services.workflows.drafting import DraftService
from app.services.workflows.drafts import DraftReader
from app.services.workflows.lifecycle import WorkflowService
from app.services.workflows.writer import WorkflowWriter
from schemas.base import stored_size
from schemas.workflow import MAX_REVISION_BYTES, Workflow
from tests.support.memory_workflows import MemoryWorkflows

ANA = Caller(uuid4(), "user")
BODY: dict[str, Any] = {
    "name": "Big order",
    "trigger": {"type": "order.paid"},
    "actions": [{"type": "apply_tag", "order": 1, "config": {"tag": "vip"}}],
}


class InterruptedStore(MemoryWorkflows):
    """Lets somebody else do something right after the next draft was read."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def draft(self, caller: Caller, workflow_id: UUID) -> StoredDraft | None:
        """Read one."""
        found = await super().draft(caller, workflow_id)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return found


class Editors:
    """The use cases over one store, and an active workflow at version 2."""

    def __init__(self) -> None:
        self.store, reader = InterruptedStore(), DraftReader(REGISTRY.names(), validate_config)
        self.drafts = DraftService(self.store, reader, WorkflowWriter())
        self.workflows = WorkflowService(self.store, reader)

    async def live(self) -> Workflow:
        """Make the workflow."""
        made = await self.workflows.create(ANA, BODY)
        return await self.workflows.set_active(ANA, made.id, None, active=True)

    async def base(self, workflow: Workflow) -> int:
        """Return the version that the draft was begun from."""
        return (await self.drafts.get(ANA, workflow.id)).based_on


@pytest.fixture
def editors() -> Editors:
    """Them."""
    return Editors()


async def test_what_is_saved_while_one_publishes_is_not_published_unseen(editors: Editors) -> None:
    """Whoever publishes has read the draft before: what another saves in that moment is 412, and stays the draft."""
    workflow = await editors.live()
    await editors.drafts.save(ANA, workflow.id, None, {**BODY, "name": "Mine"})
    editors.store.meanwhile = lambda: editors.drafts.save(ANA, workflow.id, None, {**BODY, "name": "Theirs"})
    with pytest.raises(StaleVersionError):
        await editors.drafts.publish(ANA, workflow.id, None, overwrite=False)
    assert (await editors.workflows.get(ANA, workflow.id)).name == "Big order"
    assert (await editors.drafts.get(ANA, workflow.id)).workflow["name"] == "Theirs"


async def test_a_draft_that_is_saved_again_stays_begun_from_its_version(editors: Editors) -> None:
    """Saved or patched as an editor goes on: what was published meanwhile is not undone without a word."""
    workflow = await editors.live()
    await editors.drafts.save(ANA, workflow.id, None, {**BODY, "name": "Mine"})
    await editors.drafts.change(ANA, workflow.id, None, {"priority": 3}, publish=True)
    again = await editors.drafts.save(ANA, workflow.id, None, {**BODY, "name": "Mine, too"})
    assert (again.based_on, again.changes) == (2, 1), "the other's change is none of its own"
    patched = await editors.drafts.patch(ANA, workflow.id, None, {"description": "d"})
    assert (patched.based_on, patched.workflow["name"], patched.workflow["description"]) == (2, "Mine, too", "d")
    with pytest.raises(ConflictError, match="Version 3"):
        await editors.drafts.publish(ANA, workflow.id, None, overwrite=False)


async def test_a_change_of_what_is_live_adds_to_its_draft_or_begins_a_new_one(editors: Editors) -> None:
    """A patch adds to the draft there is, begun from where it was; what replaces it whole begins from what is live."""
    workflow = await editors.live()
    await editors.drafts.change(ANA, workflow.id, None, {"name": "Next"}, publish=False)
    await editors.drafts.change(ANA, workflow.id, None, {"priority": 3}, publish=True)
    await editors.drafts.change(ANA, workflow.id, None, {"description": "d"}, publish=False)
    assert await editors.base(workflow) == 2
    for version in (3, 4):  # the second time it is as it was, and begun anew all the same
        await editors.drafts.replace(ANA, workflow.id, None, {**BODY, "name": "Whole"}, publish=False)
        assert await editors.base(workflow) == version
        await editors.drafts.change(ANA, workflow.id, None, {"priority": version + 1}, publish=True)


async def test_a_draft_is_no_larger_than_a_workflow_may_be(editors: Editors) -> None:
    """Whatever it holds; one that fits, but makes a revision that does not, says so among its problems."""
    workflow = await editors.live()
    with pytest.raises(InvalidError, match="at most"):
        await editors.drafts.save(ANA, workflow.id, None, {"odd": "x" * MAX_REVISION_BYTES})
    hook = {"type": "webhook", "order": 1, "config": {"url": "https://x.example", "body": {"a": ""}}}
    size = stored_size(orjson.dumps({**BODY, "actions": [hook]}))
    hook["config"] = {"url": "https://x.example", "body": {"a": "x" * (MAX_REVISION_BYTES - size)}}
    kept = await editors.drafts.save(ANA, workflow.id, None, {**BODY, "actions": [hook]})
    assert ["at most" in one.message for one in kept.problems] == [True]


async def test_a_draft_says_whom_its_author_may_not_reach(editors: Editors) -> None:
    """As publishing it would."""
    workflow = await editors.live()
    note = {"type": "create_note", "order": 1, "config": {"text": "x", "customer_id": "c-1"}}
    kept = await editors.drafts.save(ANA, workflow.id, None, {**BODY, "actions": [note]})
    with pytest.raises(NotPermittedError) as refused:
        await editors.drafts.publish(ANA, workflow.id, None, overwrite=False)
    assert [one.path for one in kept.problems] == [one.path for one in refused.value.errors] != []
