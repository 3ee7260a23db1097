"""What an execution takes in Postgres: the tables that grow with it, after some thousands; ``build/storage.json``.

A workflow of two conditions and two actions, each event of a customer of its own and some 400 bytes: rows and what
indexes them, each table's bytes divided by the executions.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg

from tests.benchmarks.progress import say
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import Stack
from tests.support.waiting import eventually

_EVENTS: Final = 5000
_ROWS: Final = "SELECT count(*) FROM automation_logs WHERE automation_id = %s"
_SIZES: Final = """
SELECT regexp_replace(relname, '_[0-9_]+$', ''), sum(pg_total_relation_size(oid))::bigint
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace GROUP BY 1
"""


async def measure(on: Servers) -> dict[str, float]:
    """Run executions through, and return the bytes of each, by table; tables that hardly grow are left out."""
    prefix, kind = f"b{uuid4().hex[:8]}.", f"custom.storage-{uuid4().hex[:8]}"
    database = on.fresh_database("storage")
    try:
        async with Stack(on.bootstrap, database, prefix, on.home / "stack") as stack:
            conditions = [
                {"field": "order.total", "operator": ">", "value": 100},
                {"field": "customer.tags", "operator": "not_contains", "value": "VIP"},
            ]
            actions = [
                {"type": "apply_tag", "order": 1, "config": {"tag": "seen"}},
                {"type": "create_note", "order": 2, "config": {"text": "Order {{ order.id }} seen."}},
            ]
            draft = {"name": kind, "trigger": {"type": kind}, "conditions": conditions, "actions": actions}
            workflow = await stack.api.create_workflow(draft)
            await stack.settled()
            async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
                before: dict[str, int] = dict(await (await connection.execute(_SIZES)).fetchall())
                await stack.emitter.emit_many([_event(kind, number) for number in range(_EVENTS)])

                async def all_there() -> bool:
                    found = await (await connection.execute(_ROWS, (workflow,))).fetchone()
                    return found == (_EVENTS,)

                await eventually(all_there, within=180, every=2.0, what="all rows")
                after: dict[str, int] = dict(await (await connection.execute(_SIZES)).fetchall())
            return {
                table: round((size - before.get(table, 0)) / _EVENTS)
                for table, size in sorted(after.items())
                if size - before.get(table, 0) > 20 * _EVENTS
            }
    finally:
        await remove_topics(on.bootstrap, prefix)


def _event(kind: str, number: int) -> dict[str, Any]:
    key = uuid4().hex
    customer = {"id": key, "email": f"{key}@example.com", "name": "Ada Lovelace", "tags": ["new"], "city": "Recife"}
    items = [{"sku": "kettle", "price": 249.9, "count": 1}, {"sku": "cup", "price": 9.5, "count": 4}]
    data = {"order": {"id": f"o-{number}", "total": 287.9, "items": items}, "customer": customer}
    return {"specversion": "1.0", "id": key, "source": "/storage", "type": kind, "subject": key, "data": data}


def main() -> None:
    """Measure; write and say what came of it."""
    say(f"{_EVENTS} executions")
    with servers(harness_home("storage")) as on:
        found = asyncio.run(measure(on))
    path = Path("build/storage.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=2))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
