"""The run's workflows in the installation: made, found again, and removed with its customers, over the API."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import psutil

from app.commands.api_client import ApiClient, ApiRefusedError, path_of
from app.commands.exit_codes import ExitCode
from app.commands.proving.marks import mark
from app.services.proving.load import MARK, Load

_NAMED: Final = re.compile(rf"{MARK} (?P<run>[0-9a-f]{{8}}): \w+")
_CUSTOMERS: Final = 500


def make(api: ApiClient, load: Load, receiver_url: str) -> dict[str, int]:
    """Make the workflows and switch them on; their ids go into ``load``, their versions are returned."""
    versions = {}
    for name, draft in load.drafts(receiver_url, mark(psutil.Process())).items():
        made = api.call("POST", path_of("workflows"), draft)
        load.ids[name] = UUID(made["id"])
        versions[name] = api.call("POST", path_of("workflows", made["id"], "activate"))["version"]
    return versions


def runs_in(api: ApiClient, run: str | None = None, *, deleted: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Return the workflows of runs, of all or of one, that the caller may see: those in place, or those deleted."""
    wanted = {"search": MARK if run is None else f"{MARK} {run}", "deleted": "true" if deleted else None}
    found = defaultdict(list)
    for one in api.items(path_of("workflows"), {name: value for name, value in wanted.items() if value}):
        named = _NAMED.fullmatch(one["name"])
        # Ours by its name and by what it waits for, both: whatever else is called so is somebody's own.
        if named is not None and one["trigger"]["type"] == f"custom.{MARK}-{named['run']}":
            found[named["run"]].append(one)
    return {name: of for name, of in found.items() if run in {None, name}}


def remove(api: ApiClient, workflows: Sequence[Mapping[str, Any]], customers: Iterable[str]) -> int:
    """Remove workflows, with their executions that wait, and customers; returns how many of both.

    The workflows are switched off first, or they would go on making customers, and go last: they tell a later run
    that there is something to remove.
    """
    for one in workflows:
        _there(api, "POST", path_of("workflows", one["id"], "deactivate"), waiting="cancel")
    gone = sum(_there(api, "DELETE", path_of("crm", "customers", customer)) for customer in customers)
    return gone + sum(_there(api, "DELETE", path_of("workflows", one["id"])) for one in workflows)


def cancel_waiting(api: ApiClient, workflow: object) -> int:
    """End a workflow's executions that wait, also of one that is deleted; returns how many."""
    return int(api.call("POST", path_of("workflows", workflow, "cancel-waiting"))["cancelled"])


def customers_of(api: ApiClient, prefix: str) -> Iterator[dict[str, Any]]:
    """Yield the customers in the CRM whose ids begin so, with their tags."""
    after = prefix
    while True:
        page = api.call("GET", path_of("crm", "customers"), query={"after": after, "limit": _CUSTOMERS})["items"]
        ours = [one for one in page if one["id"].startswith(prefix)]
        yield from ours
        if len(ours) < _CUSTOMERS:
            return
        after = ours[-1]["id"]


def _there(api: ApiClient, method: str, path: str, **query: str) -> bool:
    """Do something to what is there; what is gone already needs it no more, and is told by False."""
    try:
        api.call(method, path, query=query)
    except ApiRefusedError as error:
        if error.exit_code != ExitCode.NOT_FOUND:
            raise
        return False
    return True
