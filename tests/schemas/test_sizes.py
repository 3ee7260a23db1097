"""The bounds of what a slip holds add up: the largest that may be made fits a record, wherever it is encoded."""

from contextlib import suppress
from typing import Any, Final, Self
from uuid import UUID

import orjson
import pytest

from app.domain.callers import Caller
from app.domain.errors import PoisonError
from app.execution.routing import Router
from app.ports.retries import Logged
from app.services.operations.retries import Retries
from app.topics import MAX_RECORD_BYTES, Topics
from schemas.base import stored_size
from schemas.command import Command, PinnedRevision
from schemas.event import MAX_EVENT_BYTES
from schemas.incoming import decode_event
from schemas.result import ActionResult
from schemas.verdicts import MAX_VERDICTS_BYTES, bounded_verdicts
from schemas.workflow import MAX_ACTIONS, MAX_REVISION_BYTES, Revision
from tests.support.records import FakeRecord, cloud_event
from tests.support.slips import NOW, command_record

ROUTER = Router(Topics("t."), frozenset({"webhook"}))
# What fills: text that JSON escapes, text of several bytes, numbers that are written shorter than they are encoded.
FILLS: Final = {"escaped": "\x01", "quotes": '"', "unicode": "\U0001f600", "floats": 1e15, "exponents": 1e19}


def filled(kind: str, size: int) -> Any:
    """Return JSON of one kind whose encoding, as Postgres may give it back, has about ``size`` bytes."""
    fill = FILLS[kind]
    if isinstance(fill, str):
        return fill * ((size - 2) // (len(orjson.dumps(fill)) - 2))
    return [fill] * ((size - 2) // (stored_size(orjson.dumps([fill])) - 1))


def through_postgres(value: Any) -> Any:
    """Return JSON as ``jsonb`` gives it back: numbers written out."""
    if isinstance(value, float) and abs(value) < 1e20 and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: through_postgres(item) for key, item in value.items()}
    return [through_postgres(item) for item in value] if isinstance(value, list) else value


def largest_event(kind: str) -> dict[str, Any]:
    """Return the largest event of a kind that is taken."""
    size = MAX_EVENT_BYTES
    while True:
        event = cloud_event(data={"fill": filled(kind, size)})
        with suppress(PoisonError):
            return decode_event(FakeRecord(orjson.dumps(event))).raw
        size -= 1024


def largest_revision(kind: str) -> Revision:
    """Return the largest revision of a kind that may be saved."""
    size = MAX_REVISION_BYTES
    while True:
        first = {"type": "webhook", "order": 0, "config": {"fill": filled(kind, size)}}
        more = [{"type": "webhook", "order": n, "config": {}} for n in range(1, MAX_ACTIONS)]
        revision = Revision.model_validate(
            {
                "id": UUID(int=1),
                "version": 1,
                "name": "w",
                "active": True,
                "trigger": {"type": "order.paid"},
                "actions": [first, *more],
                "owner": UUID(int=2),
                "updated_at": NOW,
            }
        )
        if stored_size(revision.encode()) <= MAX_REVISION_BYTES:
            return revision
        size -= 1024


def largest_result(kind: str, step: int, status: str = "success") -> ActionResult:
    """Return the largest result of a kind."""
    size = 4096
    while True:
        made = {"step": step, "action_type": "webhook", "status": status, "executed_at": NOW}
        one = ActionResult.model_validate({**made, "output": {"fill": filled(kind, size)}})
        if one.bounded() is one:
            return one
        size -= 16


def verdicts(kind: str) -> list[dict[str, Any]]:
    """Return a hundred verdicts, the most there may be, each with values of 1 KiB."""
    value = filled(kind, 1000)
    one = {"path": "a" * 200, "operator": "==", "expected": value, "actual": value, "met": False, "reason": "r" * 500}
    return [one] * 100


def largest_command(kind: str) -> Command:
    """Return the largest command there may be: at its last step, of a retry that kept all others."""
    results = [largest_result(kind, step) for step in range(MAX_ACTIONS - 1)]
    return Command(
        execution_id=UUID(int=3),
        attempt=2,
        step=MAX_ACTIONS - 1,
        entity="\x01" * 512,
        workflow=PinnedRevision.model_validate(largest_revision(kind), from_attributes=True),
        event=largest_event(kind),
        matched_at=NOW,
        verdicts=list(bounded_verdicts(verdicts(kind))),
        results=results,
        kept=results,
    )


@pytest.mark.parametrize("kind", FILLS)
def test_the_largest_slip_fits_a_record(kind: str) -> None:
    """Event, revision, verdicts and results at their bounds, twice the results: still under what Kafka takes."""
    record = ROUTER.again(largest_command(kind))
    assert len(record.value or b"") + len(record.key or b"") < MAX_RECORD_BYTES - 1000


@pytest.mark.parametrize("kind", FILLS)
def test_the_largest_execution_fits_a_record(kind: str) -> None:
    """What is made of it at its end fits as well, with a failed step and its longest error."""
    made = largest_command(kind)
    failed = ActionResult(step=49, action_type="webhook", status="failed", error="\x01" * 90_000, executed_at=NOW)
    record = ROUTER.after(made, failed)
    assert record.topic == "t.executions"
    assert len(record.value or b"") < MAX_RECORD_BYTES - 1000


class _Transaction:
    """A transaction of retries in which one execution is logged."""

    def __init__(self, logged: Logged) -> None:
        self.logged = logged
        self.sent: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def transaction(self, _: Caller) -> "_Transaction":
        """Open it."""
        return self

    async def find(self, _: UUID) -> Logged:
        """Return the execution."""
        return self.logged

    async def take(self, _: Logged) -> bool:
        """Allocate the attempt."""
        return True

    async def send(self, record: Any) -> None:
        """Keep the record."""
        self.sent.append(record)

    async def note(self, _: Any) -> None:
        """Put a line on the trail."""


@pytest.mark.parametrize("kind", FILLS)
async def test_the_largest_retry_fits_a_record(kind: str) -> None:
    """A retry is built from Postgres, which writes numbers out: what fitted before fits still."""
    revision = Revision.model_validate(through_postgres(orjson.loads(largest_revision(kind).encode())))
    results = [largest_result(kind, step) for step in range(MAX_ACTIONS - 1)]
    results.append(largest_result(kind, MAX_ACTIONS - 1, "failed"))
    stored = [ActionResult.model_validate(through_postgres(orjson.loads(one.encode()))) for one in results]
    logged = Logged(
        execution_id=UUID(int=3),
        attempt=1,
        status="partial",
        entity="\x01" * 512,
        event=through_postgres(largest_event(kind)),
        verdicts=through_postgres(list(bounded_verdicts(verdicts(kind)))),
        results=stored,
        executed_at=NOW,
        active=True,
        revision=revision,
    )
    transaction = _Transaction(logged)
    await Retries(transaction, Topics("t."), {"webhook"}).retry(Caller(UUID(int=2), "admin"), logged.execution_id)
    (record,) = transaction.sent
    assert len(record.value) + len(record.key) < MAX_RECORD_BYTES - 1000


@pytest.mark.parametrize("kind", FILLS)
def test_an_event_is_bounded_as_it_will_be_encoded(kind: str) -> None:
    """What is taken stays within 256 KiB in every slip, and after it has been read back from Postgres."""
    event = largest_event(kind)
    assert len(orjson.dumps(event)) <= MAX_EVENT_BYTES
    assert len(orjson.dumps(through_postgres(event))) <= MAX_EVENT_BYTES
    command = Command.model_validate_json(command_record(largest_command(kind)).value or b"")
    assert len(orjson.dumps(command.event)) <= MAX_EVENT_BYTES


def test_verdicts_are_cut_only_where_they_are_too_many() -> None:
    """Few are kept whole; a hundred large ones keep what they say, and lose the values."""
    few = verdicts("escaped")[:10]
    assert bounded_verdicts(few) is few
    cut = bounded_verdicts(verdicts("escaped"))
    assert len(orjson.dumps(list(cut))) <= MAX_VERDICTS_BYTES
    assert [one["actual"] for one in cut] == [{"cut": True}] * 100
    assert {one["met"] for one in cut} == {False}
