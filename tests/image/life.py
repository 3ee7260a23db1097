"""One execution through containers: an event in by the API, a tag on a customer, a row in the log."""

import asyncio
from typing import Any, Final
from uuid import uuid4

from pydantic import SecretStr

from app.settings import Settings
from tests.benchmarks.progress import say
from tests.image.containers import Containers
from tests.support.api import Api
from tests.support.waiting import eventually

_WITHIN_S: Final = 60


async def one_execution_runs(place: Containers) -> None:
    """Have a workflow run for one event, and wait until the API shows it as a success."""
    settings = Settings(jwt_secret=SecretStr(place.environment["HEADRACE_JWT_SECRET"]))
    kind = f"custom.image-{uuid4().hex[:8]}"
    actions = [
        {"type": "apply_tag", "order": 1, "config": {"tag": "seen"}},
        {"type": "create_note", "order": 2, "config": {"text": "By a container."}},
    ]
    async with Api(f"http://127.0.0.1:{place.admin_port}", settings) as api:
        await api.create_workflow({"name": kind, "trigger": {"type": kind}, "actions": actions})
        await eventually(lambda: _ran(api, kind), within=_WITHIN_S, every=1.0, what="an execution")
    say("an event became an execution")


async def _ran(api: Api, kind: str) -> bool:
    """Send an event, for the matchers may not have known the workflow at the one before; tell whether one has run."""
    event: dict[str, Any] = {"specversion": "1.0", "id": uuid4().hex, "source": "/image", "type": kind, "data": {}}
    event["data"]["customer"] = {"id": "c-1"}
    await api.call("POST", "/api/v1/events", event)
    await asyncio.sleep(1.0)
    found, _ = await api.call("GET", f"/api/v1/executions?event_id={event['id']}")
    return any(one["status"] == "success" for one in found["items"])
