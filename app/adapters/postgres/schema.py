"""The tables that the API reads and writes through SQLAlchemy, as the migrations make them; a test compares the two."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.adapters.postgres.reentry_column import ReentryColumn

METADATA: Final = MetaData()


def _at(name: str, *, primary_key: bool = False) -> Column[Any]:
    return Column(name, DateTime(timezone=True), primary_key=primary_key)


def _written_and_kept() -> list[Column[Any]]:
    """Return what workflows and their templates have alike."""
    return [
        Column("id", Uuid, primary_key=True),
        Column("name", String(255)),
        Column("description", Text),
        Column("trigger_type", String(100)),
        Column("trigger_config", JSONB),
        Column("conditions", JSONB),
        Column("actions", JSONB),
        Column("priority", SmallInteger),
        Column("reentry", ReentryColumn),
        Column("version", Integer),
        Column("created_by", Uuid),
        _at("created_at"),
        _at("updated_at"),
    ]


AUTOMATIONS: Final = Table("automations", METADATA, *_written_and_kept(), Column("active", Boolean), _at("deleted_at"))
TEMPLATES: Final = Table(
    "automation_templates",
    METADATA,
    *_written_and_kept(),
    Column("category", String(100)),
    Column("is_public", Boolean),
    Column("usage_count", Integer),
    Column("placeholders", JSONB),
)
REVISIONS: Final = Table(
    "automation_revisions",
    METADATA,
    Column("automation_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", JSONB),
    _at("created_at"),
    Column("created_by", Uuid),
)
DRAFTS: Final = Table(
    "automation_drafts",
    METADATA,
    Column("automation_id", Uuid, primary_key=True),
    Column("body", JSONB(none_as_null=True)),
    Column("based_on", Integer),
    Column("changes", Integer),
    Column("version", Integer),
    Column("saved_by", Uuid),
    _at("saved_at"),
)
LAST_RUNS: Final = Table(
    "automation_last_runs", METADATA, Column("automation_id", Uuid, primary_key=True), _at("last_run_at")
)
MESSAGE_TEMPLATES: Final = Table(
    "message_templates",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("name", Text),
    Column("kind", Text),
    Column("subject", Text),
    Column("text", Text),
    Column("html", Text),
    Column("version", Integer),
    Column("created_by", Uuid),
    _at("created_at"),
    _at("updated_at"),
)
USERS: Final = Table(
    "users",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("email", Text),
    Column("name", Text),
    Column("role", Text),
    Column("permissions", ARRAY(Text)),
    _at("disabled_at"),
    Column("has_password", Boolean),
    _at("signed_in_at"),
    Column("version", Integer),
    _at("created_at"),
    _at("updated_at"),
)
SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid),
    Column("how", Text),
    Column("address", Text),
    Column("agent", Text),
    _at("created_at"),
    _at("seen_at"),
    _at("expires_at"),
)


def _log(name: str) -> Table:
    return Table(
        name,
        METADATA,
        Column("id", Uuid, primary_key=True),
        Column("automation_id", Uuid),
        Column("trigger_event", JSONB),
        Column("conditions_met", Boolean),
        Column("conditions_result", JSONB),
        Column("actions_executed", JSONB),
        Column("status", String(50)),
        Column("error_message", Text),
        Column("execution_duration_ms", Integer),
        _at("executed_at", primary_key=True),
        Column("attempt", Integer),
        Column("version", Integer),
        Column("event_id", Text),
        Column("event_type", Text),
        Column("entity", Text),
    )


LOGS: Final = _log("automation_logs")
ARCHIVE: Final = _log("automation_logs_archive")
TIMERS: Final = Table(
    "timers",
    METADATA,
    Column("command_id", Uuid, primary_key=True),
    Column("execution_id", Uuid),
    Column("workflow_id", Uuid),
    Column("entity", Text),
    Column("step", Integer),
    Column("kind", Text),
    Column("reason", Text),
    Column("destination", Text),
    Column("topic", Text),
    _at("due"),
    _at("created_at"),
)
NOTIFICATIONS: Final = Table(
    "notifications",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("title", Text),
    Column("body", Text),
    Column("workflow_id", Uuid),
    Column("execution_id", Uuid),
    _at("created_at"),
    _at("read_at"),
)
AUDIT_TRAIL: Final = Table(
    "audit_trail",
    METADATA,
    Column("id", Uuid, primary_key=True),
    _at("at"),
    Column("actor", Uuid),
    Column("actor_kind", Text),
    Column("actor_name", Text),
    Column("action", Text),
    Column("kind", Text),
    Column("object_id", Text),
    Column("name", Text),
    Column("version", Integer),
    Column("changes", JSONB),
)
DEAD_LETTERS: Final = Table(
    "dead_letters",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("topic", Text),
    Column("partition", Integer),
    Column("offset", BigInteger),
    _at("record_timestamp"),
    Column("reason", Text),
    Column("detail", Text),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("size", Integer),
    Column("cut", Boolean),
    Column("headers", JSONB),
    Column("role", Text),
    Column("reader", Text),
    Column("event_id", Text),
    Column("source", Text),
    Column("entity", Text),
    Column("barred", Text),
    _at("failed_at"),
    _at("replayed_at"),
    Column("replayed_by", Uuid),
    _at("discarded_at"),
    Column("discarded_by", Uuid),
)
