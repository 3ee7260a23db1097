"""An execution's page says how long its steps waited, where that is what took the time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.admin.pages.executions.waits import waits_of
from app.ports.executions import ExecutionDetail
from app.settings import Settings
from schemas.result import ActionResult
from tests.admin.conftest import Api
from tests.admin.log import Log
from tests.support.sessions import signed_in

BEGAN = datetime.now(UTC) - timedelta(hours=3)


def step(number: int, at: float, *, took: int = 0, resumes: float | None = None, **more: Any) -> dict[str, Any]:
    """A step that ended so many seconds after the beginning."""
    return {
        "step": number,
        "action_type": "apply_tag",
        "status": "success",
        "attempts": 1,
        "executed_at": (BEGAN + timedelta(seconds=at)).isoformat(),
        "duration_ms": took,
        "resume_at": None if resumes is None else (BEGAN + timedelta(seconds=resumes)).isoformat(),
        **more,
    }


@pytest.mark.parametrize(
    ("results", "duration", "attempt", "waits"),
    [
        ([], 3, 1, []),
        ([step(0, 0.03, took=25), step(1, 18.2)], 18_200, 1, [0, 18_170]),
        ([step(0, 20, took=500)], 20_000, 1, [19_500]),
        ([step(0, 0.5), step(1, 1.4)], 1400, 1, [0, 0]),
        ([step(0, 0, resumes=60), step(1, 60.2)], 60_200, 1, [0, 0]),
        ([step(0, 0, resumes=60), step(1, 65)], 65_000, 1, [0, 5000]),
        ([step(0, 0.1), step(1, 7205, took=100)], 5000, 2, [0, 4900]),
        ([step(0, 7201, took=900), step(1, 7200.05)], 1000, 2, [0, 0]),
    ],
    ids=["none", "breaker", "first", "short", "delay", "after a delay", "retried", "out of order"],
)
def test_what_is_neither_a_step_nor_a_delay_is_a_wait(
    results: list[dict[str, Any]], duration: int, attempt: int, waits: list[float]
) -> None:
    """Of a retry only what it did itself counts; what records take from process to process is not told."""
    one = ExecutionDetail(
        id=uuid4(),
        workflow_id=uuid4(),
        workflow_name="x",
        version=1,
        attempt=attempt,
        entity=None,
        event_id=None,
        event_type=None,
        status="success",
        conditions_met=True,
        error=None,
        executed_at=BEGAN,
        duration_ms=duration,
        event={},
        results=[ActionResult.model_validate(each) for each in results],
    )
    assert list(waits_of(one)) == pytest.approx(waits)


async def test_the_page_says_how_long_and_what_it_may_have_been(
    api: Api, log: Log, api_database: str, settings: Settings
) -> None:
    """At the step that waited alone, and nothing that the log does not have."""
    who = await signed_in(api_database, settings, "admin")
    workflow = await api.user().create()
    row = await log.add(
        workflow, at=BEGAN, duration=18_200, results=[step(0, 0.03, took=25), step(1, 18.2, attempts=2)]
    )
    async with api.client.get(f"/executions/{row['id']}", headers=who.cookie) as answer:
        text = await answer.text()
    assert answer.status == 200, text
    assert text.count(" besides") == text.count("What it waited for is not in the log") == 1
    assert "waited 18.2 s besides" in text
    assert "the pause before another attempt" in text
