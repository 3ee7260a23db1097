"""Workflows as they were: which revision a matcher had, compiled as the matchers compile it."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from app.domain.callers import NOBODY, Caller
from app.ports.event_verdicts import TraceStore
from app.services.workflows.index import CompiledWorkflow, compile_workflow
from schemas.workflow import Revision

_MOST: Final = 200
Key = tuple[UUID, int]


class PastWorkflows:
    """Compiled revisions, the last 200 kept: a revision never changes.

    Who may see which is the store's to say each time: what is kept is asked for by numbers that it has just told.

    Args:
        store: Where revisions are kept.
    """

    def __init__(self, store: TraceStore) -> None:
        self._store = store
        self._kept: OrderedDict[Key, CompiledWorkflow | None] = OrderedDict()

    async def of(self, caller: Caller, wanted: Collection[Key]) -> Mapping[Key, CompiledWorkflow | None]:
        """Return revisions compiled; None for one that no matcher could compile."""
        found = {key: self._kept[key] for key in wanted if key in self._kept}
        missing = [key for key in wanted if key not in found]
        bodies = await self._store.revisions(caller, missing) if missing else {}
        for key in missing:
            found[key] = _compiled(key, bodies.get(key))
            self._kept[key] = found[key]
        for key in found:
            self._kept.move_to_end(key)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return found


def _compiled(key: Key, body: Any) -> CompiledWorkflow | None:
    try:
        fields = {"owner": NOBODY, **body, "id": key[0], "version": key[1]}
        return compile_workflow(Revision.model_validate(fields))
    except Exception:  # noqa: BLE001 - as in the matchers' index: with anything wrong in one workflow, the others go on
        return None
