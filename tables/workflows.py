"""The workflow table: a Faust GlobalTable that nothing in Faust writes (docs/design.md#12-workflow-table).

The outbox relay produces revisions straight to the table's changelog; every matcher reads all of it, first to recover
and then as it grows, and feeds the index that events are matched against. Event partitions stay paused until the
recovery is complete.
"""

import logging
from time import time
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from app.adapters.kafka.faust_parts import GlobalTable
from app.metrics.matcher import TABLE_CHANGES, TABLE_DELAY, TABLE_ENTRIES, TABLE_ERRORS, TABLE_RECOVERED
from app.services.operations.background import note_failure
from app.services.workflows.index import Applied, Change, Tombstone, Unreadable, WorkflowIndex
from schemas.field_errors import field_errors
from schemas.log_ids import of_record
from schemas.stored_json import read_json
from schemas.workflow import Revision

TABLE_NAME: Final = "workflows"

logger = logging.getLogger(__name__)


class WorkflowTable(GlobalTable):
    """The table; ``workflow_index`` is what it feeds."""

    workflow_index: WorkflowIndex

    async def on_changelog_event(self, event: Any) -> None:
        """Take one changelog record in; never raises, or the recovery would drop the record with a log line only."""
        message = event.message
        try:
            change = read_change(message.key, message.value)
            outcome = self.workflow_index.apply(change)
        except Exception as error:  # noqa: BLE001 - noted with its traceback
            TABLE_ERRORS.inc()
            note_failure("workflow_table", error, "a record of the changelog cannot be read", **of_record(message))
            return
        TABLE_CHANGES.labels(outcome).inc()
        TABLE_ENTRIES.set(len(self.workflow_index))
        if outcome is Applied.BROKEN:
            why = self.workflow_index.broken[change.id]
            logger.error("a workflow will not run", extra={"workflow_id": change.id, "why": why})
        if message.timestamp and not self.app.in_recovery:
            TABLE_DELAY.observe(max(0.0, time() - message.timestamp))

    async def on_recovery_completed(self, active_tps: Any, standby_tps: Any) -> None:
        """Note that the table is complete; Faust lets events through after this."""
        await super().on_recovery_completed(active_tps, standby_tps)
        self.workflow_index.complete.set()
        TABLE_RECOVERED.set(1)
        logger.info(
            "the workflow table is complete", extra={"active": len(self.workflow_index), "workflows": len(self)}
        )


def build_workflow_table(app: Any, index: WorkflowIndex) -> GlobalTable:
    """Register the table with a Faust app whose id is ``Topics.matcher_app``; ``index`` is filled from then on.

    ``recovery_buffer_size=1`` is what keeps Faust from missing keys once the recovery is over. The changelog topic must
    exist (one partition, compact only): ``headrace topics`` makes it.
    """
    table = WorkflowTable(
        app,
        name=TABLE_NAME,
        key_type=bytes,
        value_type=bytes,
        partitions=1,
        recovery_buffer_size=1,
        standby_buffer_size=1,
        is_global=True,
        beacon=app.tables.beacon,
        help="Newest revision of each workflow",
    )
    table.workflow_index = index
    return app.tables.add(table)


def read_change(key: bytes, value: bytes | None) -> Change:
    """Read a changelog record: a revision, one that breaks its contract, or a tombstone where there is no value.

    Raises:
        ValueError: The record is not one of these, or of another workflow than its key says.
    """
    workflow_id = UUID(key.decode("ascii"))
    if value is None:
        return Tombstone(workflow_id)
    # As Postgres writes JSON: numbers are written out in full.
    fields = read_json(value)
    try:
        revision = Revision.model_validate(fields)
    except ValidationError as error:
        return _unreadable(workflow_id, fields, error)
    if revision.id != workflow_id:
        raise ValueError(f"the revision is of {revision.id}, its record's key says {workflow_id}")
    return revision


def _unreadable(workflow_id: UUID, fields: Any, error: ValidationError) -> Unreadable:
    """Tell which version it is that cannot be read, so that the one before does not run on.

    Raises:
        ValidationError: It does not say, or is of another workflow.
    """
    said = fields if isinstance(fields, dict) else {}
    version = said.get("version")
    if said.get("id") != str(workflow_id) or not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise error
    first = field_errors(error, Revision)[0]
    return Unreadable(workflow_id, version, f"{first.path}: {first.message}")
