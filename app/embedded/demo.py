"""The demo of ``headrace up``: three workflows and an event for each, sent and followed through the API like a user's.

Input: the API's URL and a token. Side effects: workflows (made once, found again by the ids in ``demo.json``), events.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from app.commands.api_client import ApiClient
from app.domain.errors import SetupError
from app.embedded.demo_data import demo_events, demo_workflows
from app.processes.home import read_json, write_json

_LOGGED_WITHIN_S = 120.0
_SEND_AGAIN_AFTER_S = 20.0
_LOOK_EVERY_S = 0.2
_TAKES_EFFECT_S = 1.0  # what the API promises of a change


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one demo event: the workflow's name and its row in the execution log."""

    event_type: str
    workflow: str
    row: dict[str, Any]


def run_demo(api: ApiClient, home: Path, receiver_url: str) -> list[Outcome]:
    """Make sure of the workflows, send the events, wait until each execution is logged.

    Returns:
        One outcome for each event whose workflow is still there and active.

    Raises:
        SetupError: The API refused something, or an execution was not logged within two minutes.
    """
    workflows = [one for one in ensure_workflows(api, home, receiver_url) if one["active"]]
    time.sleep(_TAKES_EFFECT_S)
    sent = [(_send(api, workflow), workflow) for workflow in workflows]
    return [
        Outcome(workflow["trigger"]["type"], workflow["name"], _followed(api, event_id, workflow))
        for event_id, workflow in sent
    ]


def ensure_workflows(api: ApiClient, home: Path, receiver_url: str) -> list[dict[str, Any]]:
    """Return the demo's workflows, made where they are missing.

    One that the user has changed, switched off or given another trigger stays as it is; the receiver's address is
    brought up to date.
    """
    known = read_json(home / "demo.json")
    found = [_ensure(api, draft, known.get(draft["name"])) for draft in demo_workflows(receiver_url)]
    moved = [_point_to(api, workflow, str(known.get("receiver_url")), receiver_url) for workflow in found]
    ids = {draft["name"]: one["id"] for draft, one in zip(demo_workflows(receiver_url), moved, strict=True)}
    write_json(home / "demo.json", {**ids, "receiver_url": receiver_url})
    return [workflow for workflow in moved if workflow["trigger"]["type"] in demo_events()]


def _ensure(api: ApiClient, draft: dict[str, Any], known_id: str | None) -> dict[str, Any]:
    if known_id is not None:
        found = api.find(f"/api/v1/workflows/{known_id}")
        if found is not None:
            return found
    made = api.call("POST", "/api/v1/workflows", draft)
    return api.call("POST", f"/api/v1/workflows/{made['id']}/activate")


def _point_to(api: ApiClient, workflow: dict[str, Any], old_url: str, new_url: str) -> dict[str, Any]:
    actions = workflow["actions"]
    if old_url == new_url or not any(old_url in str(action["config"].get("url")) for action in actions):
        return workflow
    for action in actions:
        if "url" in action["config"]:
            action["config"]["url"] = action["config"]["url"].replace(old_url, new_url)
    headers = {"If-Match": f'"{workflow["version"]}"'}
    path = f"/api/v1/workflows/{workflow['id']}?publish=true"
    return api.call("PATCH", path, {"actions": actions}, headers=headers)


def _send(api: ApiClient, workflow: dict[str, Any]) -> str:
    event = demo_events()[workflow["trigger"]["type"]] | {"id": f"demo-{uuid4()}"}
    api.call("POST", "/api/v1/events", event, content_type="application/cloudevents+json")
    return str(event["id"])


def _followed(api: ApiClient, event_id: str, workflow: dict[str, Any]) -> dict[str, Any]:
    """Return the event's row; on a machine so slow that it came before its workflow, that of another event."""
    deadline = time.monotonic() + _LOGGED_WITHIN_S
    while time.monotonic() < deadline:
        row = _logged(api, event_id, workflow["id"])
        if row is not None:
            return row
        event_id = _send(api, workflow)
    event_type = workflow["trigger"]["type"]
    raise SetupError(f"the demo's {event_type} was not logged within {_LOGGED_WITHIN_S:.0f} s; see .headrace/logs")


def _logged(api: ApiClient, event_id: str, workflow_id: str) -> dict[str, Any] | None:
    deadline = time.monotonic() + _SEND_AGAIN_AFTER_S
    while time.monotonic() < deadline:
        page = api.call("GET", f"/api/v1/executions?event_id={event_id}&workflow_id={workflow_id}")
        if page["items"]:
            row: dict[str, Any] = page["items"][0]
            return row
        time.sleep(_LOOK_EVERY_S)
    return None


def table(outcomes: list[Outcome]) -> Iterator[str]:
    """Yield the outcomes as lines of a table."""
    rows = [("EVENT", "WORKFLOW", "STATUS", "TOOK")]
    rows += [(one.event_type, one.workflow, str(one.row["status"]), _took(one.row)) for one in outcomes]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _took(row: dict[str, Any]) -> str:
    return f"{row['duration_ms']} ms" if row.get("duration_ms") is not None else ""
