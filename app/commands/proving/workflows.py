"""The run's workflows in the installation: made, found again after a crash, and removed, over the API."""

import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import psutil

from app.commands.api_client import ApiClient, ApiRefusedError, path_of
from app.commands.exit_codes import ExitCode
from app.domain.errors import SetupError
from app.services.proving.load import MARK, Load

_MARKED: Final = re.compile(r"Process (?P<pid>\d+) of (?P<host>\S+), begun at (?P<created>\d+\.\d+)")
_NAMED: Final = re.compile(rf"{MARK} (?P<run>[0-9a-f]{{8}}): \w+")
_SAME_START_S: Final = 1.0
_CUSTOMERS: Final = 500


class OtherRunError(SetupError):
    """Another run may be under way; the text says whose, and what to do."""

    exit_code = ExitCode.CONFLICT


def mark(process: psutil.Process) -> str:
    """Return the description of a process's workflows: from it a later run sees whether that one still runs."""
    return (
        f"Made by `headrace prove`, which removes it at its end; a run that crashed leaves it to the next one. "
        f"Process {process.pid} of {socket.gethostname()}, begun at {process.create_time():.2f}."
    )


def make(api: ApiClient, load: Load, receiver_url: str) -> None:
    """Make the workflows and switch them on; their ids go into ``load``."""
    for name, draft in load.drafts(receiver_url, mark(psutil.Process())).items():
        made = api.call("POST", path_of("workflows"), draft)
        load.ids[name] = UUID(made["id"])
        api.call("POST", path_of("workflows", made["id"], "activate"))


def leftovers(api: ApiClient, *, others: bool = False) -> list[dict[str, Any]]:
    """Return workflows of runs that are over, though they have not removed them.

    Args:
        api: Of the installation.
        others: Also those of runs on other machines, of which nothing is known.

    Raises:
        OtherRunError: A run is under way, or may be.
    """
    found = [one for one in api.items(path_of("workflows"), {"search": MARK}) if _is_ours(one)]
    for one in found:
        told = _MARKED.search(one.get("description") or "")
        if told is None or told["host"] != socket.gethostname():
            if not others:
                where = "another machine" if told is None else told["host"]
                raise OtherRunError(
                    f"there is a workflow {one['name']!r} of a run on {where}; if that run is over, "
                    "remove what it left with `headrace prove --clean`"
                )
        elif _runs(int(told["pid"]), float(told["created"])):
            raise OtherRunError(f"another `headrace prove` runs here already, process {told['pid']}: wait for its end")
    return found


def remove(api: ApiClient, workflows: Sequence[Mapping[str, Any]], *, customers: str | None) -> int:
    """Remove workflows, and from the CRM the customers whose ids begin so; returns how many of both.

    The workflows go last: they tell a later run that there is something to remove.
    """
    named = [one["id"] for one in customers_of(api, customers)] if customers is not None else []
    for customer in named:
        _delete(api, path_of("crm", "customers", customer))
    for one in workflows:
        _delete(api, path_of("workflows", one["id"]))
    return len(named) + len(workflows)


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


def _delete(api: ApiClient, path: str) -> None:
    try:
        api.call("DELETE", path)
    except ApiRefusedError as error:
        if error.exit_code != ExitCode.NOT_FOUND:
            raise


def _is_ours(workflow: dict[str, Any]) -> bool:
    """Tell whether we have made a workflow: by its name and by what it waits for, both."""
    named = _NAMED.fullmatch(workflow["name"])
    return named is not None and workflow["trigger"]["type"] == f"custom.{MARK}-{named['run']}"


def _runs(pid: int, created: float) -> bool:
    with suppress(psutil.NoSuchProcess):
        return pid != os.getpid() and abs(psutil.Process(pid).create_time() - created) < _SAME_START_S
    return False
