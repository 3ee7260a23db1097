"""What earlier runs have left: only what is of a run that is over for certain is removed, whoever asks for it.

A caller sees their own workflows, an administrator everybody's, and whoever may read customers all of these. So
customers are removed only with workflows that the caller sees, in place or deleted, or where an administrator sees that
there are none: a run makes its workflows first and removes them last.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from app.commands.api_client import ApiClient, path_of
from app.commands.exit_codes import ExitCode
from app.commands.proving.marks import Standing, standing, whose
from app.commands.proving.workflows import cancel_waiting, customers_of, remove, runs_in
from app.domain.errors import SetupError
from app.services.proving.load import MARK
from app.topics import RETENTION

_CUSTOMER: Final = re.compile(rf"{MARK}-(?P<run>[0-9a-f]{{8}})-")


# What a run needs for its events, and for the CRM's part in it.
_SENDS: Final = "events:write"
CRM_RIGHTS: Final = ("crm:read", "crm:write")


class OtherRunError(SetupError):
    """Another run may be under way; the text says whose, and what to do."""

    exit_code = ExitCode.CONFLICT


class NoRightError(SetupError):
    """The token does not give what a run needs."""

    exit_code = ExitCode.NOT_LET_IN


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was done about earlier runs.

    Attributes:
        removed: Workflows and customers.
        ended: Executions that waited.
        others: Runs whose customers were left alone: the caller cannot see whether they are over.
        queued: Records in the queues, of whomever, where some may be of a run that is removed.
    """

    removed: int
    ended: int = 0
    others: Collection[str] = ()
    queued: int = 0


def check_rights(api: ApiClient, *needed: str) -> bool:
    """Return whether the caller administers, and so sees everybody's workflows.

    Raises:
        NoRightError: The caller may not do all that is needed.
    """
    caller = api.call("GET", path_of("session"))
    missing = sorted(set(needed) - set(caller["permissions"]))
    if missing:
        without = "; without the CRM there is --no-crm" if missing[0].startswith("crm:") else ""
        raise NoRightError(f"this needs the permission {missing[0]}, which the token does not give{without}")
    return bool(caller["role"] == "admin")


def remove_crashed(api: ApiClient, *, crm: bool) -> int:
    """Remove what runs have left that crashed here, as the next run does first; returns how many of all.

    Raises:
        NoRightError: The next run would be refused; nothing is removed.
        OtherRunError: A run is under way, or may be.
    """
    check_rights(api, _SENDS, *(CRM_RIGHTS if crm else ()))
    over = _over(runs_in(api), sure=False)
    return sum(
        remove(api, workflows, [one["id"] for one in customers_of(api, f"{MARK}-{run}-")] if crm else ())
        for run, workflows in over.items()
    )


def clean(api: ApiClient, run: str | None, *, crm: bool, admin: bool) -> Cleaned:
    """Remove all that earlier runs have left, or that one has of which the caller says that it is over.

    Raises:
        OtherRunError: A run is under way, or may be.
    """
    customers = _customers(api, run) if crm else {}  # before the workflows: who has none by then is of no run
    over = _over(runs_in(api, run), sure=run is not None)
    gone = _over(_lately_deleted(api, run), sure=True)
    removed = sum(remove(api, workflows, customers.pop(of, ())) for of, workflows in over.items())
    others = set()
    for of, left in customers.items():
        if admin or of in gone or _over(runs_in(api, of, deleted=True), sure=True):
            removed += remove(api, (), left)
        else:
            others.add(of)
    queue = api.call("GET", path_of("queue"))
    waiting = [one["id"] for workflows in gone.values() for one in workflows] if queue["parked"] else []
    ended = sum(cancel_waiting(api, one) for one in waiting)
    return Cleaned(removed, ended, others, queue["depth"] if over or gone else 0)


def _over(runs: Mapping[str, list[dict[str, Any]]], *, sure: bool) -> Mapping[str, list[dict[str, Any]]]:
    """Return runs, all of which are over; ``sure``: one elsewhere is, by the caller's word or its workflows' end.

    Raises:
        OtherRunError: One runs, or may.
    """
    for name, workflows in runs.items():
        for one in workflows:
            said = one.get("description") or ""
            match standing(said):
                case Standing.RUNS:
                    raise OtherRunError(f"another `headrace prove` runs here already, {whose(said)}: wait for its end")
                case Standing.ELSEWHERE if not sure:
                    raise OtherRunError(
                        f"there is a workflow {one['name']!r} of a run by {whose(said)}, which cannot be seen from "
                        f"here; if that run is over, remove what it left with `headrace prove --clean --run {name}`"
                    )
    return runs


def _lately_deleted(api: ApiClient, run: str | None) -> dict[str, list[dict[str, Any]]]:
    """Return deleted workflows of runs of which something may still be queued, or wait."""
    oldest = datetime.now(UTC) - RETENTION
    found = runs_in(api, run, deleted=True)
    lately = {name: [one for one in of if _moment(one["updated_at"]) > oldest] for name, of in found.items()}
    return {name: of for name, of in lately.items() if of}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _customers(api: ApiClient, run: str | None) -> dict[str, list[str]]:
    found = defaultdict(list)
    for one in customers_of(api, f"{MARK}-" if run is None else f"{MARK}-{run}-"):
        named = _CUSTOMER.match(one["id"])
        if named is not None:
            found[named["run"]].append(one["id"])
    return dict(found)
