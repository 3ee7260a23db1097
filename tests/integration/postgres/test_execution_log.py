"""The execution log in Postgres: one row an execution, whatever comes twice, late, out of order or broken."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from app.adapters.postgres.execution_log import ExecutionLog
from app.adapters.postgres.pool import Pool
from app.adapters.postgres.receipts import PostgresReceipts
from app.ports.execution_log import Logged, Refused, Skipped
from tests.support.crm import crm_over
from tests.support.executions import EVENT, WORKFLOW, add_workflow, document, execution
from tests.support.receipt_worlds import LEASE, a_claim

pytestmark = pytest.mark.postgres


@pytest.fixture
def log(database: str, sink_pool: Pool) -> ExecutionLog:
    """A log over a database that holds the workflow of the test executions."""
    add_workflow(database)
    return ExecutionLog(sink_pool)


def rows_of(database: str, table: str = "automation_logs") -> list[dict[str, Any]]:
    """Every row of a log table, oldest first."""
    with psycopg.connect(database, row_factory=dict_row) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        found = sql.SQL("SELECT * FROM {} ORDER BY executed_at").format(sql.Identifier(table))
        return connection.execute(found).fetchall()


async def test_an_execution_is_answered_with_when_its_event_came(log: ExecutionLog) -> None:
    """As it says it, whatever that is: a time that only metrics ask for refuses no row."""
    told = ["2026-03-01T12:00:00Z", "yesterday", None]
    made = [execution(execution_id=str(uuid4())) | ({} if at is None else {"event_at": at}) for at in told]
    outcomes = await log.write([orjson.dumps(one).decode() for one in made])
    assert [outcome.event_at for outcome in outcomes if isinstance(outcome, Logged)] == told


def rows_of_failures(database: str) -> list[tuple[Any, ...]]:
    """Which workflows are noted."""
    with psycopg.connect(database) as connection:
        return connection.execute("SELECT workflow_id FROM workflow_failures").fetchall()


async def test_an_execution_becomes_the_specified_row(log: ExecutionLog, database: str) -> None:
    """Every column of the specification is filled from the execution, exactly."""
    made = execution(status="partial", error="step 1 (webhook): 500", duration_ms=7)
    [outcome] = await log.write([orjson.dumps(made).decode()])
    at = datetime.fromisoformat(made["executed_at"])
    assert outcome == Logged("partial", at, late=False)
    [row] = rows_of(database)
    assert str(row.pop("id")) == made["execution_id"]
    assert row == {
        "automation_id": WORKFLOW,
        "trigger_event": EVENT,
        "conditions_met": True,
        "conditions_result": made["verdicts"],
        "actions_executed": made["results"],
        "status": "partial",
        "error_message": "step 1 (webhook): 500",
        "execution_duration_ms": 7,
        "executed_at": at,
        "attempt": 1,
        "version": 1,
        "event_id": "e-1",
        "event_type": "order.paid",
        "entity": "customer-1",
    }


async def test_a_workflow_that_fails_is_noted(log: ExecutionLog, database: str) -> None:
    """With the row, once a workflow, for its owner to be told; not again by a copy, and not by what is no failure."""
    failed = document(status="failed")
    await log.write([document(), document(status="stopped"), document(status="skipped", attempt=0)])
    assert rows_of_failures(database) == []
    await log.write([failed, document(status="partial")])
    assert rows_of_failures(database) == [(WORKFLOW,)]
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM workflow_failures")
    await log.write([failed])
    assert rows_of_failures(database) == []


async def test_fields_that_the_matcher_leaves_out_have_defaults(log: ExecutionLog, database: str) -> None:
    """A skipped execution comes without results, error and duration."""
    made = execution(attempt=0, status="skipped", conditions_met=False)
    for field in ("results", "error", "duration_ms"):
        del made[field]
    await log.write([orjson.dumps(made).decode()])
    [row] = rows_of(database)
    assert (row["actions_executed"], row["error_message"], row["execution_duration_ms"]) == ([], None, 0)


async def test_a_repeated_execution_is_one_row(log: ExecutionLog, database: str) -> None:
    """Twice in a batch or in two batches: the first counts, the others are reported."""
    text = document()
    first = await log.write([text, text])
    again = await log.write([text])
    assert [type(outcome) for outcome in first] == [Logged, Skipped]
    assert again == [Skipped("duplicate")]
    assert len(rows_of(database)) == 1


async def test_a_higher_attempt_replaces_the_row(log: ExecutionLog, database: str) -> None:
    """In one batch or in two, in any order; the row keeps the time of the first writer."""
    for together in (True, False):
        key = str(uuid4())
        start = datetime.now(UTC)
        first = document(execution_id=key, status="failed", executed_at=start.isoformat())
        second = document(execution_id=key, attempt=2, executed_at=(start + timedelta(seconds=9)).isoformat())
        if together:
            outcomes = await log.write([first, second])
            assert outcomes[0] == Skipped("duplicate")
        else:
            outcomes = [*await log.write([first]), *await log.write([second])]
            assert outcomes[1] == Logged("success", start, late=False)
            assert await log.write([first]) == [Skipped("attempt")]
        row = next(row for row in rows_of(database) if str(row["id"]) == key)
        assert (row["attempt"], row["status"]) == (2, "success")


async def test_a_row_of_the_matcher_never_hides_a_run(log: ExecutionLog, pool: Pool, database: str) -> None:
    """The event came again and did not meet the changed workflow's conditions: the run that began stays."""
    receipts = PostgresReceipts(pool, "executor/1", LEASE, crm_over)
    await receipts.start()
    claim = a_claim(matched_at=datetime.now(UTC) - timedelta(seconds=5), version=1)
    await receipts.claim([claim])
    key = str(claim.execution_id)
    skipped = document(execution_id=key, attempt=0, version=2, status="skipped", conditions_met=False)
    assert await log.write([skipped]) == [Skipped("attempt")]
    assert await log.write([document(execution_id=key)]) == [Logged("success", claim.matched_at, late=False)]
    [row] = rows_of(database)
    assert (row["status"], row["version"], row["executed_at"]) == ("success", 1, claim.matched_at)


async def test_a_run_replaces_the_row_of_the_matcher(log: ExecutionLog, database: str) -> None:
    """The other way round: first skipped, then, with the changed workflow, run."""
    skipped = execution(attempt=0, status="skipped", conditions_met=False)
    await log.write([orjson.dumps(skipped).decode()])
    run = document(execution_id=skipped["execution_id"], version=2)
    assert isinstance((await log.write([run]))[0], Logged)
    [row] = rows_of(database)
    assert (row["attempt"], row["version"], row["conditions_met"]) == (1, 2, True)
    assert row["executed_at"] == datetime.fromisoformat(skipped["executed_at"])


async def test_an_execution_of_another_version_is_dropped(log: ExecutionLog, database: str) -> None:
    """The first writer's version counts; the other copy is reported."""
    first = execution(attempt=0)
    await log.write([orjson.dumps(first).decode()])
    other = document(execution_id=first["execution_id"], attempt=0, version=2)
    assert await log.write([other]) == [Skipped("version")]
    assert [row["version"] for row in rows_of(database)] == [1]


async def test_refused_rows_do_not_hold_up_their_batch(log: ExecutionLog, database: str) -> None:
    """What Postgres cannot hold is named with its reason; everything else of the batch is written."""
    good = [document() for _ in range(40)]
    bad = {
        3: document(error="a\x00b"),
        11: document(status="x" * 51),
        12: document(workflow_id=str(uuid4())),
        20: "{}",
        21: '{"truncated": ',
        22: "[" * 10_000,
        30: document(executed_at="infinity"),
        31: document(execution_id="no uuid"),
        32: document().replace('"order.paid"', '"\\ud800"'),
        33: "[]",
    }
    texts = [bad.get(index, good[index]) for index in range(40)]
    outcomes = await log.write(texts)
    assert {index for index, outcome in enumerate(outcomes) if isinstance(outcome, Refused)} == set(bad)
    assert all(isinstance(outcome, Logged) for index, outcome in enumerate(outcomes) if index not in bad)
    assert len(rows_of(database)) == 40 - len(bad)


async def test_a_missing_partition_is_made(log: ExecutionLog, database: str) -> None:
    """A day that no partition holds yet gets one, and the batch is written whole."""
    at = datetime.now(UTC) - timedelta(days=30)
    outcomes = await log.write([document(executed_at=at.isoformat()), document()])
    assert outcomes[0] == Logged("success", at, late=False)
    assert rows_of(database, f"automation_logs_{at:%Y%m%d}")[0]["executed_at"] == at


async def test_a_row_older_than_the_log_goes_to_the_archive(log: ExecutionLog, database: str) -> None:
    """90 days are over: the row is found in the archive, and twice is still once."""
    at = datetime.now(UTC) - timedelta(days=200)
    text = document(executed_at=at.isoformat())
    assert await log.write([text]) == [Logged("success", at, late=True)]
    assert await log.write([text]) == [Skipped("duplicate")]
    assert rows_of(database) == []
    assert [row["executed_at"] for row in rows_of(database, "automation_logs_archive")] == [at]


async def test_two_sinks_at_once_write_one_row_each(log: ExecutionLog, sink_pool: Pool, database: str) -> None:
    """Two that hold the same executions, in opposite order: no deadlock stays, no row is lost or doubled."""
    texts = [document(attempt=0) for _ in range(50)]
    outcomes = await asyncio.gather(log.write(texts), ExecutionLog(sink_pool).write(texts[::-1]))
    assert sum(isinstance(outcome, Logged) for batch in outcomes for outcome in batch) == 50
    assert len(rows_of(database)) == 50


async def test_numbers_stay_exact(log: ExecutionLog, database: str) -> None:
    """What no double can hold reaches the log as it was sent."""
    text = document().replace('"199.00"', "123456789012345678901234567890.123456789")
    await log.write([text])
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT trigger_event #>> '{data,order,total}' FROM automation_logs").fetchone()
    assert found == ("123456789012345678901234567890.123456789",)


async def test_no_executions_no_statement(log: ExecutionLog) -> None:
    """An empty batch is answered with nothing."""
    assert await log.write([]) == []


def fed(database: str) -> list[tuple[Any, ...]]:
    """What the feed has, a row a batch."""
    with psycopg.connect(database) as connection:
        return connection.execute("SELECT ids, times, workflows FROM execution_feed ORDER BY txid, seq").fetchall()


async def test_who_follows_the_log_is_fed_what_was_written(log: ExecutionLog, database: str) -> None:
    """A batch is one row of those it wrote, a higher attempt among them; what was dropped is in none."""
    made = [execution(execution_id=str(uuid4())) for _ in range(3)]
    await log.write([orjson.dumps(one).decode() for one in made])
    ((ids, times, workflows),) = fed(database)
    assert [str(one) for one in ids] == [one["execution_id"] for one in made]
    assert [at.isoformat() for at in times] == [datetime.fromisoformat(one["executed_at"]).isoformat() for one in made]
    assert workflows == [WORKFLOW] * 3
    await log.write([orjson.dumps(made[0]).decode()])
    assert len(fed(database)) == 1
    await log.write([orjson.dumps(made[1] | {"attempt": 2}).decode(), orjson.dumps(made[2]).decode()])
    assert [str(one) for one in fed(database)[1][0]] == [made[1]["execution_id"]]
