"""What ``workflows apply`` asks the API before it does anything."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.commands.workflow_plan import plan
from app.services.workflows.files.documents import Document


class _Api:
    """Has workflows, and notes what it is asked."""

    def __init__(self, workflows: list[dict[str, Any]]) -> None:
        self._workflows = {f"/api/v1/workflows/{one['id']}": one for one in workflows}
        self.asked: list[str] = []

    def find(self, path: str) -> dict[str, Any] | None:
        """Return one."""
        self.asked.append(path)
        return self._workflows.get(path)

    def items(self, path: str) -> list[dict[str, Any]]:
        """Return all."""
        self.asked.append(path)
        return list(self._workflows.values())


def _workflow(number: int) -> dict[str, Any]:
    draft = {"name": f"w{number}", "trigger": {"type": "order.paid", "config": {}}, "conditions": [], "actions": []}
    return {"id": str(uuid4()), "active": True, "version": 1, **draft}


@pytest.mark.parametrize(("count", "asks"), [(3, 3), (21, 1), (300, 1)])
def test_many_workflows_are_looked_up_in_the_list(count: int, asks: int) -> None:
    """Few by their ids; the list's pages are far fewer requests than hundreds of ids. An id's case does not matter."""
    workflows = [_workflow(number) for number in range(count)]
    api: Any = _Api(workflows)
    documents = [Document("all.yaml", {**one, "id": one["id"].upper()}, {}) for one in workflows]
    assert {step.kind for step in plan(api, documents)} == {"nothing"}
    assert len(api.asked) == asks
    assert all(UUID(path.rpartition("/")[2]) for path in api.asked if asks > 1)
