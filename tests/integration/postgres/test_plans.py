"""No statement reads a table that grows from end to end, whatever Postgres knew of the tables when it planned it.

A prepared statement keeps its generic plan until the next ANALYZE of one of its tables: one that was made while they
were empty must do when they have millions of rows.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import psycopg
import pytest

from app.adapters.postgres import receipts_sql
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.pool import Pool, open_pool
from app.settings import Settings
from tests.support.logins import as_role
from tests.support.receipt_worlds import PostgresWorld, a_claim, tagging
from tests.support.statements import plan, prepare, statements

pytestmark = pytest.mark.postgres

# They have a row for each workflow, user, channel, destination, alert or process, not for each event.
SMALL: Final = {
    "alert_channels", "alert_states", "automations", "automation_revisions", "automation_last_runs",
    "automation_logs_horizon", "breakers",
    "headrace_schema_version", "heartbeats", "instances", "message_templates", "notification_channels", "pg_authid",
    "secrets", "temporal_audiences", "temporal_schedules", "user_permissions", "workflow_failures", "workflow_quotas",
}  # fmt: skip
# Indexes of the few rows that a statement is about: to read one whole is to read those.
PARTIAL: Final = {"idx_outbox_set_aside", "idx_timers_set_aside"}
# Pieces of statements, which are planned as part of those.
PIECES: Final = {
    "crm_sql._CUSTOMER", "execution_log_sql._LIVE", "execution_log_sql._LATE", "receipts_sql.BATCH_AND_KEYS",
    "receipts_sql._LOOK_REST",
}  # fmt: skip
# Upkeep goes over whole tables, once an hour, by the blocks of their BRIN indexes where it can.
UPKEEP: Final = "maintenance."
SCANS: Final = {"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Index Scan", "Tid Scan", "Sample Scan"}
PASS_A_LIMIT_ON: Final = {"LockRows", "Subquery Scan", "Append", "Merge Append"}
FILLED: Final = ("execution_keys", "receipts", "timers", "outbox", "crm.customers", "crm.tags", "crm.conversations")
GROWN: Final = """
INSERT INTO execution_keys SELECT gen_random_uuid(), 1, now(), 1 FROM generate_series(1, 20000);
INSERT INTO receipts (command_id, execution_id, state, instance, incarnation, lease_until)
  SELECT gen_random_uuid(), gen_random_uuid(), 1, 'i', 1, now() FROM generate_series(1, 20000);
INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, destination, due, deadline,
    topic, key, value)
  SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'c', 0,
    CASE WHEN n % 2 = 0 THEN 'circuit' ELSE 'delay' END, '', CASE WHEN n % 2 = 0 THEN 'https://x.example' END, now(),
    CASE WHEN n % 2 = 0 THEN now() END, 't', '', '' FROM generate_series(1, 20000) AS n;
INSERT INTO outbox (topic) SELECT 't' FROM generate_series(1, 20000);
INSERT INTO crm.customers (customer_id) SELECT 'c' || n FROM generate_series(1, 20000) AS n;
INSERT INTO crm.tags (customer_id, tag) SELECT 'c' || n, 'vip' FROM generate_series(1, 20000) AS n;
INSERT INTO crm.conversations (conversation_id, customer_id)
  SELECT 'v' || n, 'c' || n FROM generate_series(1, 20000) AS n;
"""
_PLANNED: Final = "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
KNOWN: Final = {"never analysed": "", "analysed while empty": "VACUUM ANALYZE", "grown, never analysed": GROWN}


def hot() -> list[tuple[str, str]]:
    """The statements, but for upkeep."""
    return [(name, text) for name, text in statements() if name not in PIECES and not name.startswith(UPKEEP)]


def whole_reads(node: dict[str, Any], *, limited: bool = False) -> Iterator[str]:
    """Yield each scan of a growing table that nothing narrows: no index condition, and no limit right above it."""
    kind = node["Node Type"]
    table = node.get("Relation Name") or node.get("Index Name", "").removesuffix("_pkey").removesuffix("_pkc")
    narrow = table in SMALL or node.get("Index Name") in PARTIAL or "Index Cond" in node or "TID Cond" in node
    if kind in SCANS and not narrow and not limited:
        yield f"{kind} of {table} using {node.get('Index Name')}, filter {node.get('Filter')}"
    passes = kind == "Limit" or (limited and kind in PASS_A_LIMIT_ON)
    for child in node.get("Plans", ()):
        yield from whole_reads(child, limited=passes)


@pytest.fixture(params=list(KNOWN))
async def planning(request: pytest.FixtureRequest, database: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A worker's connection, whose plans are generic, made while that was known of the tables."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as admin:
        for table in FILLED:
            await admin.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)".encode())
        if KNOWN[request.param]:
            await admin.execute(KNOWN[request.param].encode())
    # Of the role that may everything: what every role prepares is looked at over one connection.
    pool = open_pool(Settings(DATABASE_URL=database), DatabaseRole.SERVICE)
    async with pool as opened, opened.connection() as connection:
        yield connection


async def test_no_statement_reads_a_growing_table_whole(planning: psycopg.AsyncConnection[Any]) -> None:
    """Each scan of one has an index condition, or ends at a limit without sorting first."""
    whole: dict[str, list[str]] = {}
    for name, text in hot():
        await prepare(planning, name, text)
        if found := list(whole_reads(await plan(planning, name))):
            whole[name] = found
    assert not whole


def looped_over(node: dict[str, Any]) -> Iterator[str]:
    """Yield what claims led to (``keys``, ``taken``) where it is read whole for each of them: not hashed, not rare."""
    if "Subplan Name" in node and not node["Subplan Name"].startswith("CTE"):
        return
    if node["Node Type"] == "CTE Scan" and node["CTE Name"] in {"keys", "taken"}:
        yield node["CTE Name"]
    for child in node.get("Plans", ()):
        if "One-Time Filter" not in node or "Subplan Name" in child:
            yield from looped_over(child)


@pytest.mark.parametrize("name", ["CLAIM", "LOOK"])
async def test_what_long_batches_cost_is_not_their_square(planning: psycopg.AsyncConnection[Any], name: str) -> None:
    """What claims led to is hashed; it is gone through only for one whose key is not as asked."""
    await prepare(planning, name, getattr(receipts_sql, name))
    found = await plan(planning, name)
    assert not [*looped_over(found)]
    subplans = set(re.findall(r'"Subplan Name": "(SubPlan \d+)"', json.dumps(found)))
    assert subplans
    assert subplans == set(re.findall(r"hashed (SubPlan \d+)", json.dumps(found)))


async def test_no_batch_is_too_short_for_a_plan_that_is_kept(pool: Pool) -> None:
    """To plan a statement costs more than to carry it out for a few rows: workers' connections plan each once."""
    receipts = await PostgresWorld(pool).process("executor/1")
    for _ in range(8):
        claims = [a_claim(), a_claim(first=False)]
        await receipts.claim(claims)
        await receipts.finish([(claim.command_id, {}) for claim in claims])
        mine = [a_claim(first=False)]
        await receipts.apply(mine, tagging(mine))
    async with pool.connection() as connection:
        planned = await connection.execute(_PLANNED, prepare=False)
        counts = await planned.fetchall()
    assert len(counts) >= 6
    assert {custom for _, custom in counts} == {0}


def test_the_statements_are_found() -> None:
    """Those that every execution goes through are among them, and so are those of schedulers."""
    names = {name for name, _ in hot()}
    receipts = {f"receipts_sql.{name}" for name in ("CLAIM", "LOOK", "FINISH", "PARK", "RELEASE", "STORE", "STORED")}
    others = {"execution_log_sql.WRITE", "timers.DUE", "outbox._DELETE", "releases._DUE", "entries._ENTER"}
    assert receipts | others <= names


async def test_the_api_keeps_no_plan(database: str) -> None:
    """Its statements are planned each time, with what is known then: they are few, and take many forms."""
    api = ApiDatabase(Settings(DATABASE_URL=as_role(database, DatabaseRole.API)))
    try:
        for _ in range(12):
            await api.outbox_age()
        async with api.serving() as connection:
            prepared = await connection.exec_driver_sql("SELECT statement FROM pg_prepared_statements")
            assert not prepared.all()
    finally:
        await api.close()
