"""Loads the demo data, and takes it away again: what was loaded, and nothing that is somebody's own by now."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from app.admin.demo.business import ids, play
from app.domain.callers import Caller
from app.domain.errors import NotFoundError, StaleVersionError
from app.ports.demo_data import DemoStore, LoadedDemo
from app.ports.systems import Systems
from app.services.operations.cancelling import Cancelling
from app.services.workflows.comparing import LIVE, ComparingService
from app.services.workflows.lifecycle import WorkflowService
from app.services.workflows.placeholders.declarations import declared, read_values
from app.services.workflows.placeholders.filling import fill
from app.services.workflows.starter_templates import STARTERS
from schemas.workflow import WorkflowDraft

PREFIX: Final = "Demo: "
_NAMES: Final = ("Welcome a new customer", "Thank for a big order", "Act on a bad review")
TRIGGERS: Final = ("customer.created", "order.created", "order.paid", "message.received")
# What is promised of a change: every matcher knows of it within a second.
_TAKES_EFFECT_S: Final = 1.2


class DemoData:
    """The use cases; the pages check who may.

    Args:
        store: Where it is noted what was loaded.
        systems: The reference systems, whose events start the workflows.
        workflows: Makes the workflows.
        comparing: Tells whether one was changed since.
        cancelling: Deletes them, with what waits of them.
        settle_s: Seconds that workflows have to become known before the events.
    """

    def __init__(
        self,
        store: DemoStore,
        systems: Systems,
        workflows: WorkflowService,
        comparing: ComparingService,
        cancelling: Cancelling,
        *,
        settle_s: float = _TAKES_EFFECT_S,
    ) -> None:
        self._store = store
        self._systems = systems
        self._workflows = workflows
        self._comparing = comparing
        self._cancelling = cancelling
        self._settle_s = settle_s

    async def loaded(self) -> LoadedDemo | None:
        """Return what was loaded; None where nothing is."""
        return await self._store.loaded()

    async def load(self, caller: Caller) -> None:
        """Make the workflows, switch them on, and have the business play.

        Raises:
            ConflictError: It is loaded already.
        """
        load = uuid4().hex[:6]
        await self._store.begin(caller, ids(load))
        for draft in drafts():
            made = await self._workflows.create(caller, draft)
            switched_on = await self._workflows.set_active(caller, made.id, None, active=True)
            await self._store.note(caller, made.id, switched_on.version)
        await asyncio.sleep(self._settle_s)
        async with self._systems.open(None) as repository:
            await play(repository, load)

    async def remove(self, caller: Caller) -> Sequence[str]:
        """Take it away; returns the names of workflows that stay, because somebody has changed them.

        Raises:
            NotFoundError: None is loaded.
        """
        loaded = await self._store.loaded()
        if loaded is None:
            raise NotFoundError("No demo data is loaded")
        stay = [await self._remove(caller, one, version) for one, version in loaded.workflows.items()]
        await self._store.forget(caller)
        return [name for name in stay if name is not None]

    async def _remove(self, caller: Caller, workflow_id: UUID, version: int) -> str | None:
        """Delete a workflow; returns its name where it stays."""
        try:
            current = await self._workflows.get(caller, workflow_id)
            changed = await self._comparing.compare(caller, workflow_id, str(version), LIVE)
            if changed.changes or current.draft is not None:
                return current.name
            await self._cancelling.delete(caller, workflow_id, frozenset({current.version}))
        except NotFoundError:
            return None
        except StaleVersionError:
            return current.name
        return None


def drafts() -> list[dict[str, Any]]:
    """Return the workflows' drafts: built-in templates, with what they begin with in their open places."""
    found = []
    for starter in STARTERS:
        if starter["name"] in _NAMES:
            asked = declared(starter["placeholders"])
            written = {name: value for name, value in starter.items() if name in WorkflowDraft.model_fields}
            filled = fill(written, asked, read_values(asked, {})[0])
            found.append({**filled, "name": PREFIX + starter["name"]})
    return found
