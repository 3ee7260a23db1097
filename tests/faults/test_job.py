"""The load of a run: so many events, or as many as its fault lasts."""

from typing import Any
from uuid import uuid4

import pytest

from app.domain.errors import UnreachableError
from tests.faults.job import Job


class _Emitter:
    """Closes the job with the event of that number."""

    def __init__(self, job: Job, closes_with: int, *, fails: bool = False) -> None:
        self._job = job
        self._closes_with = closes_with
        self._fails = fails
        self.ids: list[str] = []

    async def emit_many(self, events: list[dict[str, Any]]) -> None:
        """Keep the ids."""
        self.ids += [event["id"] for event in events]
        if len(self.ids) >= self._closes_with:
            self._job.open = False
        if self._fails:
            self._fails = False
            raise UnreachableError("the broker is away")


@pytest.mark.parametrize(("opened", "closes_with", "least"), [(False, 1, 3), (True, 1, 3), (True, 20, 20)])
async def test_an_open_job_goes_on_until_it_is_closed(opened: bool, closes_with: int, least: int) -> None:  # noqa: FBT001 - a table's column
    """It has at least so many events as were asked for, and all that it sent are expected to have been carried out."""
    job = Job("j", 3, 2, names=("big",), open=opened)
    job.ids = {"order.paid": {"big": uuid4()}}
    emitter: Any = _Emitter(job, closes_with)
    await job.emit(emitter, rate=1000)
    assert emitter.ids == [f"j-{n}" for n in range(job.count)]
    assert job.count >= least
    assert job.count == 3 or opened
    assert len(list(job.expected())) == job.count


async def test_what_may_be_in_kafka_is_counted() -> None:
    """A batch of which nobody knows how much has arrived is sent again, though the job is closed meanwhile."""
    job = Job("j", 0, 2, names=("big",), open=True)
    job.ids = {"order.paid": {"big": uuid4()}}
    emitter: Any = _Emitter(job, 1, fails=True)
    await job.emit(emitter, rate=1000)
    assert job.count == len(set(emitter.ids)) == 1
