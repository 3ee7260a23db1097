"""Commands for tests, made with as few words as possible."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.domain.ids import execution_id
from schemas.command import Command, PinnedRevision
from schemas.workflow import Action
from tests.support.records import FakeRecord, cloud_event

WORKFLOW = UUID(int=1)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def action(action_type: str = "apply_tag", order: int = 1, **config: Any) -> Action:
    """Return an action; ``conditions`` and ``on_error`` among the keywords are the action's own."""
    conditions, on_error = config.pop("conditions", []), config.pop("on_error", None)
    return Action(type=action_type, order=order, config=config, conditions=conditions, on_error=on_error)


def command(*actions: Action, event: dict[str, Any] | None = None, **changes: Any) -> Command:
    """Return a command for the first of ``actions``, of the execution of one workflow for one event."""
    envelope = event or cloud_event()
    fields: dict[str, Any] = {
        "execution_id": execution_id(WORKFLOW, envelope["source"], envelope["id"]),
        "entity": "c1",
        "workflow": PinnedRevision(id=WORKFLOW, version=3, name="Tag", owner=UUID(int=9), actions=list(actions)),
        "event": envelope,
        "matched_at": NOW,
    }
    return Command(**(fields | changes))


def command_record(made: Command, topic: str = "t.actions.apply_tag", offset: int = 0) -> FakeRecord:
    """Return the record that carries a command."""
    return FakeRecord(made.encode(), key=made.entity.encode(), topic=topic, offset=offset)
