"""``current`` on real Postgres: what has become of an order while its execution waited."""

from datetime import timedelta
from functools import partial
from typing import Any, Final

import psycopg
import pytest

from app.actions.create_note import CreateNote
from app.actions.delay import Delay
from app.adapters.postgres.crm import PostgresCrm
from app.adapters.postgres.crm_reads import PostgresReads
from app.adapters.postgres.pool import Pool
from app.adapters.postgres.receipts import PostgresReceipts
from app.domain.retry import RetryPolicy
from app.execution.current_values import Current
from app.execution.preparation import Preparer
from app.execution.routing import Router
from app.execution.transactional import TransactionalExecutor
from app.ports import Record
from app.services.delivery.dead_letters import DeadLetters
from app.topics import Topics
from schemas.execution import Execution
from tests.execution.test_transactional import now
from tests.support.fake_rights import FixedRights
from tests.support.quotas import no_holding
from tests.support.records import FakeRecord
from tests.support.sender import MemorySender
from tests.support.slips import action, command, command_record

pytestmark = pytest.mark.postgres

TOPICS: Final = Topics("t.")
UNPAID: Final = [{"field": "current.order.status", "operator": "==", "value": "created"}]
_ORDER: Final = (
    "INSERT INTO sales.orders (order_id, customer_id, status, total, currency) VALUES (%s, 'c1', 'created', 9, 'EUR')"
)


async def executor(pool: Pool, kind: Any) -> TransactionalExecutor:
    """Return an executor of one action type over the database, as a worker has it."""
    crm = partial(PostgresCrm, topics=TOPICS)
    receipts = PostgresReceipts(pool, f"{kind.name}/1", timedelta(seconds=30), crm)
    await receipts.start()
    return TransactionalExecutor(
        action=kind,
        preparer=Preparer(kind, timeout=5, clock=now),
        rights=FixedRights(),
        current=Current(PostgresReads(pool.connection, crm, patient=True), RetryPolicy(), timeout=5),
        receipts=receipts,
        holding=no_holding(),
        router=Router(TOPICS, frozenset({"delay", "create_note"})),
        dead_letters=DeadLetters(topics=TOPICS, sender=MemorySender(), role="test", clock=now),
    )


async def test_an_order_paid_during_a_delay_skips_the_step_after_it(pool: Pool, database: str) -> None:
    """After two days, if still unpaid: the one that was paid meanwhile gets no note, the other one does."""
    delays, notes = await executor(pool, Delay()), await executor(pool, CreateNote())
    steps = action("delay", duration="2 days"), action("create_note", 2, text="late", conditions=UNPAID)
    with psycopg.connect(database, autocommit=True) as connection:
        for order in ("o-1", "o-2"):
            connection.execute(_ORDER, (order,))
            data = {"order": {"id": order, "status": "created"}, "customer": {"id": "c1"}}
            event = {"specversion": "1.0", "id": order, "source": "/s", "type": "order.created", "data": data}
            waiting = command_record(command(*steps, event=event), "t.actions.delay")
            assert await delays.process([waiting]) == []
        connection.execute("UPDATE sales.orders SET status = 'paid' WHERE order_id = 'o-1'")
        rows = connection.execute("SELECT topic, value FROM timers ORDER BY value").fetchall()
        ended = executions(await notes.process([FakeRecord(value, topic=topic) for topic, value in rows]))
        found = connection.execute("SELECT text FROM crm.notes").fetchall()
    assert {order: one.results[1].status for order, one in ended.items()} == {"o-1": "skipped", "o-2": "success"}
    assert ended["o-1"].results[1].verdicts[0]["actual"] == "paid"
    assert found == [("late",)]


def executions(records: list[Record]) -> dict[str, Execution]:
    """Return what ended, by the order that it was about."""
    ended = [Execution.model_validate_json(record.value or b"") for record in records]
    return {one.event["data"]["order"]["id"]: one for one in ended}
