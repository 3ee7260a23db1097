"""An installation as ``headrace prove`` sees it over the API: who may see what, and what is there; in memory."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from typing_extensions import override

from app.commands.api_client import ApiClient, ApiRefusedError
from app.services.proving.load import MARK

_PERMISSIONS: Final = ("crm:read", "crm:write", "events:write")


@dataclass
class Installation:
    """What is there.

    Attributes:
        workflows: By id, the deleted ones too.
        customers: Their tags by their ids.
        waiting: How many executions of each workflow wait.
        rows: Executions in the log.
        depth: Records in the queues.
        looked: Called whenever somebody reads the log.
        asked: Requests that change something.
    """

    workflows: dict[str, dict[str, Any]] = field(default_factory=dict)
    customers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    waiting: Counter[str] = field(default_factory=Counter)
    rows: set[UUID] = field(default_factory=set)
    depth: int = 0
    looked: Callable[[], None] = lambda: None
    asked: list[str] = field(default_factory=list)

    def add_run(self, owner: str, run: str, description: str, *, customers: int = 2, deleted: bool = False) -> None:
        """Let there be what a run has made, with a customer of each number."""
        for name in ("hook", "own"):
            self.make(owner, f"{MARK} {run}: {name}", description, f"custom.{MARK}-{run}", deleted=deleted)
        for number in range(customers):
            self.customers[f"{MARK}-{run}-{number}"].add("a")

    def make(self, owner: str, name: str, description: str, trigger: str, *, deleted: bool = False) -> dict[str, Any]:
        """Let there be a workflow."""
        made: dict[str, Any] = {
            "id": str(uuid4()),
            "name": name,
            "description": description,
            "trigger": {"type": trigger},
            "owner": owner,
            "deleted": deleted,
            "version": 1,
            "updated_at": datetime.now(UTC).isoformat(),
        }
        self.workflows[made["id"]] = made
        return made

    def left(self, run: str) -> tuple[int, int]:
        """Return how many workflows and customers of a run are there."""
        there = [one for one in self.workflows.values() if run in one["name"] and not one["deleted"]]
        return len(there), sum(f"-{run}-" in customer for customer in self.customers)


@dataclass(frozen=True)
class Who:
    """A caller."""

    name: str
    role: str = "user"
    permissions: tuple[str, ...] = _PERMISSIONS


ADMIN: Final = Who("root", "admin")


class ProvingApi(ApiClient):
    """A client of it, of one caller."""

    def __init__(self, there: Installation, who: Who) -> None:
        super().__init__("http://127.0.0.1:9", "token")
        self._there = there
        self._who = who

    def without(self, *permissions: str) -> "ProvingApi":
        """Return one whose caller lacks some permissions."""
        kept = tuple(one for one in self._who.permissions if one not in permissions)
        return ProvingApi(self._there, replace(self._who, permissions=kept))

    @override
    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        if method != "GET":
            self._there.asked.append(f"{method} {path}")
        parts = path.removeprefix("/api/v1/").split("/")
        match (method, *parts):
            case ("GET", "session"):
                return {"role": self._who.role, "permissions": list(self._who.permissions)}
            case ("GET", "queue"):
                return {"parked": sum(self._there.waiting.values()), "depth": self._there.depth}
            case (_, "crm", "customers", *rest):
                return self._crm(method, rest, query or {})
            case (_, "workflows", workflow, *rest):
                return self._workflow(method, workflow, rest)
        raise AssertionError((method, path))

    @override
    def items(self, path: str, query: Mapping[str, object] | None = None, most: int | None = None) -> Iterator[Any]:
        wanted = query or {}
        if path.endswith("/notes"):
            return
        assert (path, most) == ("/api/v1/workflows", None)
        for one in list(self._there.workflows.values()):
            words = f"{one['name']}\n{one['description']}"
            if self._sees(one) and one["deleted"] == ("deleted" in wanted) and str(wanted["search"]) in words:
                yield dict(one)

    @override
    def lines(self, path: str, query: Mapping[str, object]) -> list[Any]:
        assert path == "/api/v1/executions/export"
        self._there.looked()
        return [{"id": str(one), "status": "success"} for one in self._there.rows]

    def _sees(self, workflow: Mapping[str, Any]) -> bool:
        return self._who.role == "admin" or workflow["owner"] == self._who.name

    def _workflow(self, method: str, workflow: str, rest: list[str]) -> dict[str, Any]:
        one = self._there.workflows.get(workflow)
        if one is None or not self._sees(one) or (one["deleted"] and rest != ["cancel-waiting"]):
            raise ApiRefusedError(404, f"{method} {workflow}", "There is no such workflow", [])
        if method == "GET":
            return dict(one)
        cancelled = self._there.waiting.pop(workflow, 0)
        one["version"] += 1
        one["deleted"] = one["deleted"] or method == "DELETE"
        return {"cancelled": cancelled}

    def _crm(self, method: str, rest: list[str], query: Mapping[str, object]) -> dict[str, Any]:
        customers = self._there.customers
        match (method, *rest):
            case ("GET",):
                after = str(query["after"])
                return {
                    "items": [{"id": one, "tags": list(customers[one])} for one in sorted(customers) if one > after]
                }
            case ("PUT", customer, "tags", tag):
                customers[customer].add(tag)
                return {}
            case ("DELETE", customer) if customer in customers:
                del customers[customer]
                return {}
        raise ApiRefusedError(404, f"{method} {'/'.join(rest)}", "There is no such customer", [])
