"""The database against the specification: its three tables, column by column, and their indexes."""

from typing import Final

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, inspect

from app.adapters.postgres.schema import METADATA

pytestmark = pytest.mark.postgres

# The specification's "Data Models", as information_schema says it: type, nullable, default.
_UUID: Final = ("uuid", "NO", "gen_random_uuid()")
_NOW: Final = ("timestamp with time zone", "YES", "now()")
_NAME: Final = ("character varying(255)", "NO", None)
_TYPE: Final = ("character varying(100)", "NO", None)
_OBJECT: Final = ("jsonb", "NO", "'{}'::jsonb")
_LIST: Final = ("jsonb", "NO", "'[]'::jsonb")
_TEXT: Final = ("text", "YES", None)
_REFERENCE: Final = ("uuid", "NO", None)
_FALSE: Final = ("boolean", "YES", "false")

COLUMNS: Final = {
    "automations": {
        "id": _UUID,
        "name": _NAME,
        "description": _TEXT,
        "active": _FALSE,
        "trigger_type": _TYPE,
        "trigger_config": _OBJECT,
        "conditions": _LIST,
        "actions": _LIST,
        "created_by": _REFERENCE,
        "created_at": _NOW,
        "updated_at": _NOW,
        "deleted_at": ("timestamp with time zone", "YES", None),
    },
    "automation_logs": {
        "id": _UUID,
        "automation_id": _REFERENCE,
        "trigger_event": ("jsonb", "NO", None),
        "conditions_met": ("boolean", "NO", None),
        "conditions_result": ("jsonb", "YES", None),
        "actions_executed": _LIST,
        "status": ("character varying(50)", "NO", None),
        "error_message": _TEXT,
        "execution_duration_ms": ("integer", "YES", None),
        # Nullable in the specification; part of the primary key here, because the table is partitioned by it.
        "executed_at": ("timestamp with time zone", "NO", "now()"),
    },
    "automation_templates": {
        "id": _UUID,
        "name": _NAME,
        "description": _TEXT,
        "category": ("character varying(100)", "YES", None),
        "trigger_type": _TYPE,
        "trigger_config": _OBJECT,
        "conditions": _LIST,
        "actions": _LIST,
        "is_public": _FALSE,
        "created_by": _REFERENCE,
        "usage_count": ("integer", "YES", "0"),
        "created_at": _NOW,
        "updated_at": _NOW,
    },
}
INDEXES: Final = {
    "automations_pkey": "UNIQUE automations (id)",
    "idx_automations_active": "automations (active) WHERE (deleted_at IS NULL)",
    "idx_automations_trigger_type": "automations (trigger_type) WHERE ((active = true) AND (deleted_at IS NULL))",
    "idx_automations_created_by": "automations (created_by) WHERE (deleted_at IS NULL)",
    "automation_logs_pkey": "UNIQUE automation_logs (id, executed_at)",
    "idx_automation_logs_automation": "automation_logs (automation_id, executed_at DESC)",
    "idx_automation_logs_status": "automation_logs (status, executed_at DESC)",
    "idx_automation_logs_executed_at": "automation_logs (executed_at DESC)",
    "automation_templates_pkey": "UNIQUE automation_templates (id)",
    "idx_automation_templates_category": "automation_templates (category) WHERE (is_public = true)",
    "idx_automation_templates_public": "automation_templates (is_public)",
}
REFERENCES: Final = {
    ("automations", "created_by", "auth.users(id)"),
    ("automation_logs", "automation_id", "automations(id)"),
    ("automation_templates", "created_by", "auth.users(id)"),
}
# What this service adds, and nothing else.
ADDED: Final = {
    "automations": {"version", "priority", "reentry", "tombstoned_at"},
    "automation_logs": {"attempt", "version", "event_id", "event_type", "entity"},
    "automation_templates": {"version", "priority", "reentry", "placeholders"},
}
ADDED_INDEXES: Final = {
    "idx_automation_logs_entity": "automation_logs (entity, executed_at DESC)",
    "idx_automation_logs_event": "automation_logs (event_id, executed_at DESC)",
    "idx_automation_logs_event_type": "automation_logs (event_type, executed_at DESC)",
    "idx_automation_logs_trouble": (
        "automation_logs (executed_at DESC, automation_id) WHERE ((error_message IS NOT NULL) OR ((status)::text = ANY"
        " ((ARRAY['failed'::character varying, 'partial'::character varying, 'timed_out'::character varying,"
        " 'blocked'::character varying, 'stopped'::character varying])::text[])))"
    ),
    "idx_automation_templates_created_by": "automation_templates (created_by)",
    "idx_automations_created_at": "automations (created_at, id) WHERE (deleted_at IS NULL)",
    "idx_automations_updated_at": "automations (updated_at, id) WHERE (deleted_at IS NULL)",
    "idx_automations_name": "automations (lower((name)::text), id) WHERE (deleted_at IS NULL)",
    "idx_automations_deleted_at": "automations (deleted_at) WHERE (deleted_at IS NOT NULL)",
}

_COLUMNS_SQL: Final = """
SELECT table_name, column_name, data_type || coalesce('(' || character_maximum_length || ')', ''), is_nullable,
  column_default
FROM information_schema.columns WHERE table_schema = 'public' AND table_name = ANY(%s)
"""
_INDEXES_SQL: Final = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(%s)"
_PARTITIONS_INDEXES_SQL: Final = """
SELECT tablename, indexdef FROM pg_indexes
WHERE schemaname = 'public' AND (tablename ~ '^automation_logs(_archive|_[0-9]{8})?$')
"""
_REFERENCES_SQL: Final = """
SELECT conrelid::regclass::text, a.attname, regexp_replace(pg_get_constraintdef(c.oid), '.*REFERENCES ', '')
FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)
WHERE c.contype = 'f' AND conrelid::regclass::text = ANY(%s)
"""


@pytest.mark.parametrize("table", COLUMNS)
def test_columns_are_the_specifications(database: str, table: str) -> None:
    """Each has its name, type, nullability and default; what is added is named here."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(_COLUMNS_SQL, ([table],)).fetchall()
    found = {name: (kind, nullable, default) for _, name, kind, nullable, default in rows}
    added = set(found) - set(COLUMNS[table])
    assert {name: found[name] for name in found if name not in added} == COLUMNS[table]
    assert added == ADDED[table]


def test_indexes_are_the_specifications(database: str) -> None:
    """Each has its name, columns, order and condition; what is added is named here, and there is no other."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(_INDEXES_SQL, (list(COLUMNS),)).fetchall()
    assert {name: _short(definition) for name, definition in rows} == INDEXES | ADDED_INDEXES


def test_every_day_of_the_log_has_its_indexes(database: str) -> None:
    """The partitions that there were, one that is made later, and one that has moved to the archive."""
    with psycopg.connect(database) as connection:
        connection.execute("SELECT headrace_make_log_partition(current_date + 30)")
        connection.execute("SELECT headrace_archive_log_partition((now() AT TIME ZONE 'UTC')::date - 1)")
        rows = connection.execute(_PARTITIONS_INDEXES_SQL).fetchall()
    days: dict[str, set[str]] = {}
    for table, definition in rows:
        days.setdefault(table, set()).add(_short(definition).partition(" (")[2])
    whole, archive = days.pop("automation_logs"), days.pop("automation_logs_archive")
    assert whole == archive
    assert "event_id, executed_at DESC)" in whole
    assert len(days) == 10
    assert all(found == whole for found in days.values()), days


def test_references_are_the_specifications(database: str) -> None:
    """Owners are users, log rows belong to automations."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(_REFERENCES_SQL, (list(COLUMNS),)).fetchall()
    assert set(rows) == REFERENCES


def test_the_log_is_partitioned_by_day(database: str) -> None:
    """By range of executed_at; from yesterday to a week ahead there are partitions from the start."""
    with psycopg.connect(database) as connection:
        key = connection.execute("SELECT pg_get_partkeydef('automation_logs'::regclass)").fetchone()
        count = connection.execute(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'automation_logs'::regclass"
        ).fetchone()
    assert key == ("RANGE (executed_at)",)
    assert count == (9,)


def test_a_revision_never_changes(database: str) -> None:
    """Not even an administrator's UPDATE gets through."""
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO auth.users (id) VALUES ('00000000-0000-4000-8000-000000000001')")
        connection.execute(
            "INSERT INTO automations (name, trigger_type, created_by) SELECT 'a', 'order.paid', id FROM auth.users"
        )
        connection.execute(
            "INSERT INTO automation_revisions (automation_id, version, body, created_by)"
            " SELECT id, 1, '{}', created_by FROM automations"
        )
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("UPDATE automation_revisions SET body = '[]'")


def _short(definition: str) -> str:
    """Return an index's definition without what says nothing."""
    unique = "UNIQUE " if definition.startswith("CREATE UNIQUE") else ""
    table, _, rest = definition.partition(" ON ")[2].removeprefix("ONLY ").partition(" USING btree ")
    return f"{unique}{table.removeprefix('public.')} {rest}"


def test_the_tables_of_the_code_are_those_of_the_migrations(database: str) -> None:
    """Each column that the API reads or writes through SQLAlchemy is there, of that type; so are the primary keys."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database), poolclass=NullPool)
    stored = inspect(engine)
    for name, table in METADATA.tables.items():
        there = {column["name"]: column["type"].compile(engine.dialect) for column in stored.get_columns(name)}
        said = {column.name: column.type.compile(engine.dialect) for column in table.columns}
        assert said.items() <= there.items(), name
        assert stored.get_pk_constraint(name)["constrained_columns"] == table.primary_key.columns.keys(), name
