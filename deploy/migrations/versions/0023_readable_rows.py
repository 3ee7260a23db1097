"""Refuse rows that no reader could load: times that Python has not, and JSON of another shape than its column's.

Many readers load a batch before they look at a row, so that one such row would stop all of them, whoever wrote it.
Rows of before are mended: a time becomes the nearest readable one, a workflow with a part of a wrong shape is switched
off and loses that part, headers stay unreadable to the relay alone, which sets their row aside.
Receipts, execution keys and the log are written by the workers alone, and most often of all: they are left out.
"""

from typing import Final

from alembic import op

revision = "0023"
down_revision = "0022"

_TIMES: Final = {
    "affiliates.affiliates": ("created_at",),
    "affiliates.commissions": ("created_at", "paid_at"),
    "crm.appointments": ("starts_at", "ends_at", "created_at"),
    "crm.conversations": ("created_at", "updated_at", "resolved_at"),
    "crm.customers": ("created_at", "updated_at"),
    "crm.messages": ("received_at",),
    "crm.notes": ("created_at",),
    "crm.requests": ("created_at",),
    "crm.tags": ("applied_at",),
    "crm.tasks": ("due_at", "done_at", "created_at"),
    "public.automation_revisions": ("created_at",),
    "public.automation_templates": ("created_at", "updated_at"),
    "public.automations": ("created_at", "updated_at", "deleted_at", "tombstoned_at"),
    "public.breakers": ("until", "probing_since"),
    "public.dead_letters": ("record_timestamp", "failed_at", "stored_at", "replayed_at", "discarded_at"),
    "public.entries": ("entered_at",),
    "public.instances": ("started_at",),
    "public.message_templates": ("created_at", "updated_at"),
    "public.notification_channels": ("created_at", "updated_at"),
    "public.notifications": ("created_at", "read_at"),
    "public.outbox": ("created_at", "set_aside_at"),
    "public.partition_holds": ("held_at",),
    "public.secrets": ("updated_at",),
    "public.temporal_audiences": ("due", "not_before"),
    "public.temporal_schedules": ("due",),
    "public.timers": ("due", "created_at", "deadline", "set_aside_at"),
    "sales.orders": ("created_at", "paid_at", "cancelled_at", "delivered_at"),
}
# A day off both ends of Python's calendar: a session's time zone may move a time by as much.
_READABLE: Final = "{column} >= '0001-01-02 00:00+00' AND {column} < '9999-12-31 00:00+00'"
# A breaker that opened for ever is forgotten: who needs it opens it anew.
_FORGET: Final = "DELETE FROM breakers WHERE NOT ({readable})"
# What the table refuses, as revisions do every change, stays as it is.
_MEND: Final = """
DO $$ BEGIN
  UPDATE {table} SET {column} = least(greatest({column}, '0001-01-02 00:00+00'), '9999-12-30 00:00+00')
  WHERE NOT ({readable});
EXCEPTION WHEN integrity_constraint_violation OR restrict_violation THEN
  RAISE NOTICE '{table}.{column} keeps times that cannot be read';
END $$
"""
# Not valid: it believes what was mended, and what could not be is no obstacle to the migration.
_REFUSE: Final = "ALTER TABLE {table} ADD CONSTRAINT {column}_readable CHECK ({readable}) NOT VALID"

_OBJECTS: Final = (
    "CASE WHEN jsonb_typeof({column}) = 'array'"
    " THEN NOT jsonb_path_exists({column}, 'strict $[*] ? (@.type() <> \"object\")') ELSE false END"
)
_WORKFLOW: Final = {
    "trigger_config": "jsonb_typeof(trigger_config) = 'object'",
    "conditions": _OBJECTS.format(column="conditions"),
    "actions": _OBJECTS.format(column="actions"),
    # The cast itself refuses what is no JSON.
    "reentry": "CASE WHEN starts_with(reentry, '{') THEN jsonb_typeof(CAST(reentry AS jsonb)) = 'object' ELSE true END",
}
_SHAPES: Final = {
    "automations": _WORKFLOW,
    "automation_templates": _WORKFLOW,
    "automation_revisions": {"body": "jsonb_typeof(body) = 'object'"},
    "outbox": {"headers": "jsonb_typeof(headers) = 'array'"},
}
_MEND_SHAPES: Final = """
UPDATE automations SET active = false, {column} = DEFAULT WHERE ({shape}) IS NOT TRUE;
UPDATE automation_templates SET {column} = DEFAULT WHERE ({shape}) IS NOT TRUE
"""
_MEND_OTHERS: Final = """
UPDATE outbox SET headers = jsonb_build_array(headers) WHERE jsonb_typeof(headers) <> 'array';
DO $$ DECLARE found record; BEGIN
  FOR found IN SELECT id, reentry FROM automations WHERE starts_with(reentry, '{') LOOP
    BEGIN
      PERFORM CAST(found.reentry AS jsonb);
    EXCEPTION WHEN data_exception THEN
      UPDATE automations SET active = false, reentry = DEFAULT WHERE id = found.id;
    END;
  END LOOP;
  FOR found IN SELECT id, reentry FROM automation_templates WHERE starts_with(reentry, '{') LOOP
    BEGIN
      PERFORM CAST(found.reentry AS jsonb);
    EXCEPTION WHEN data_exception THEN
      UPDATE automation_templates SET reentry = DEFAULT WHERE id = found.id;
    END;
  END LOOP;
END $$
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_FORGET.format(readable=_READABLE.format(column="until")))
    for table, columns in _TIMES.items():
        for column in columns:
            readable = _READABLE.format(column=column)
            op.execute(_MEND.format(table=table, column=column, readable=readable))
            op.execute(_REFUSE.format(table=table, column=column, readable=readable))
    for column in ("trigger_config", "conditions", "actions"):
        op.execute(_MEND_SHAPES.format(column=column, shape=_WORKFLOW[column]))
    op.execute(_MEND_OTHERS)
    for table, shapes in _SHAPES.items():
        for column, shape in shapes.items():
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {column}_shape CHECK ({shape}) NOT VALID")
