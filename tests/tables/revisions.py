"""Revisions for tests of the workflow table."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from schemas.workflow import Revision

_SPACE = UUID("5ebc7f4a-4a4e-4f0e-9a53-5c1de6f2b6a1")


def workflow_id(number: int) -> UUID:
    """The id of test workflow ``number``."""
    return uuid5(_SPACE, str(number))


def revision(number: int = 0, version: int = 1, **changes: Any) -> Revision:
    """A revision of test workflow ``number``: active, one condition, two actions out of order."""
    fields: dict[str, Any] = {
        "id": workflow_id(number),
        "version": version,
        "name": f"workflow {number}",
        "active": True,
        "trigger": {"type": "order.created"},
        "conditions": [{"field": "order.total", "operator": ">", "value": 100}],
        "actions": [
            {"type": "create_note", "order": 2, "config": {"text": "big"}},
            {"type": "apply_tag", "order": 1, "config": {"tag": "vip"}},
        ],
        "owner": UUID(int=7),
        "updated_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Revision.model_validate({**fields, **changes})
