"""What no operation makes, put where the pipeline would have put it: ids of things that operations can be called on."""

from typing import Any, Final
from uuid import UUID

import psycopg

from app.admin.examples import EVENT
from app.settings import Settings
from app.topics import Topics
from tests.admin.conftest import User
from tests.admin.log import NOW, Log
from tests.admin.test_cancelling import a_command, wait
from tests.admin.test_dead_letters import letter
from tests.admin.test_notifications import put
from tests.support.sessions import session_of

Rows = dict[str, list[Any]]
_EVENT: Final = {**EVENT, "time": NOW.isoformat()}
_VERDICT: Final = {
    "path": "order.total", "operator": ">", "expected": 500, "actual": "640.00", "met": True, "reason": "640.00 > 500",
}  # fmt: skip
_TAGGED: Final = {
    "step": 0, "action_type": "apply_tag", "status": "success", "output": {"tag": "big-order", "changed": True},
    "attempts": 1, "duration_ms": 9, "executed_at": NOW.isoformat(),
}  # fmt: skip
_REFUSED: Final = {
    "step": 1, "action_type": "send_webhook", "status": "failed", "error": "https://erp.example.com/orders: 500",
    "attempts": 4, "duration_ms": 7420, "executed_at": NOW.isoformat(),
}  # fmt: skip
_ABOUT: Final = {"event": _EVENT, "event_id": EVENT["id"], "entity": EVENT["subject"], "verdicts": [_VERDICT]}
_ENDED: Final = {**_ABOUT, "results": [_TAGGED]}
_FAILED: Final = {
    **_ABOUT, "results": [_REFUSED], "status": "failed", "error": "every action failed", "duration": 7431,
}  # fmt: skip


async def rows_of(admin: User, url: str, settings: Settings, count: int) -> Rows:
    """Make as many of each as are used up by calls.

    Args:
        admin: Whose they are; a user.
        url: An administrator's URL of the database.
        settings: The API's.
        count: Of each.
    """
    workflow = await admin.create()
    await admin.call("POST", f"/api/v1/workflows/{workflow['id']}/activate")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        log = Log(connection)
        ended = [(await log.add(workflow, **_ENDED))["id"] for _ in range(3)]
        failed = [(await log.add(workflow, **_FAILED))["id"] for _ in range(count)]
        letters = [await letter(log, topic=Topics(settings.topic_prefix).events("order.paid")) for _ in range(count)]
    waiting = [a_command(UUID(workflow["id"])) for _ in range(count)]
    for one in waiting:
        await wait(url, one, "delay")
    return {
        "/api/v1/executions": ended,
        "retryExecution": failed,
        "cancelExecution": [one.execution_id for one in waiting],
        "/api/v1/dead-letters": letters,
        "/api/v1/notifications": await put(url, admin.id, *["An order over 500"] * 3),
        "/api/v1/sessions": [(await session_of(settings, admin.id))[0] for _ in range(count)],
    }
