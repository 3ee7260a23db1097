"""A matcher reduced to its table, as a process: prints what its table and its agent see, one JSON line each.

Run as ``python -m tests.tables.table_worker BOOTSTRAP PREFIX INSTANCE DATA_DIR``.
"""

import sys
import time
from pathlib import Path
from typing import Any

import orjson

from app.domain.kafka_connection import KafkaConnection
from app.ports.record_source import RecordSource
from app.processes.faust_app import AgentSpec, build_app, run_worker
from app.processes.logs import set_up_logging
from app.services.workflows.index import Applied, Change, Tombstone, WorkflowIndex
from app.topics import Topics
from tables.workflows import build_workflow_table
from tests.support.beginning import begun


class ReportingIndex(WorkflowIndex):
    """An index that prints each change once it took effect."""

    def apply(self, change: Change) -> Applied:
        """Apply and print."""
        outcome = super().apply(change)
        version = None if isinstance(change, Tombstone) else change.version
        report(change=[str(change.id), version], outcome=outcome, at=time.time())
        return outcome


def report(**line: Any) -> None:
    """Print one line."""
    sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    sys.stdout.buffer.flush()


def main(bootstrap_servers: str, prefix: str, instance: str, data_dir: str) -> None:
    """Run until SIGTERM."""
    set_up_logging("matcher", "INFO")
    topics = Topics(prefix)
    index = ReportingIndex()

    async def match(source: RecordSource[Any]) -> None:
        async for batch in source.batches(max_records=500):
            for message in begun(source, batch):
                event = orjson.loads(message.value)
                matched = [str(workflow.id) for workflow in index.matching(event["type"])]
                report(event=event["id"], matched=matched)
                source.ack(message)

    app = build_app(
        app_id=topics.matcher_app,
        connection=KafkaConnection(bootstrap_servers),
        instance=instance,
        data_dir=Path(data_dir),
        agents=[AgentSpec("match", topics.events("order.created"), match)],
        tables=[lambda app: build_workflow_table(app, index)],
    )
    run_worker(app)


if __name__ == "__main__":
    main(*sys.argv[1:])
