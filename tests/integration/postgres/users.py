"""Users who own one of everything, and who have SQL access in their own name, as in a Supabase database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import orjson
import psycopg
from psycopg.types.json import Jsonb

ANA: Final = UUID("00000000-0000-4000-8000-00000000000a")
BEA: Final = UUID("00000000-0000-4000-8000-00000000000b")
ADMIN: Final = UUID("00000000-0000-4000-8000-00000000000c")
OF_ANA: Final = UUID("00000000-0000-4000-8000-0000000000a1")
OF_BEA: Final = UUID("00000000-0000-4000-8000-0000000000b1")

TAG: Final = {"type": "apply_tag", "order": 1, "config": {"tag": "t"}}
_NEW: Final = (
    "INSERT INTO automations (id, name, trigger_type, created_by, active, actions) VALUES (%s, %s, %s, %s, %s, %s)"
)
_INSERT: Final = "INSERT INTO automations (id, name, trigger_type, created_by) VALUES (%s, 'x', 'order.paid', %s)"
_SEED: Final = """
INSERT INTO automation_revisions (automation_id, version, body, created_by)
  SELECT id, 1, '{}', created_by FROM automations;
INSERT INTO automation_logs (automation_id, trigger_event, conditions_met, status)
  SELECT id, '{}', true, 'success' FROM automations;
INSERT INTO automation_templates (name, trigger_type, created_by, is_public)
  SELECT name, 'order.paid', created_by, public FROM automations, (VALUES (true), (false)) AS v (public);
"""


def become(connection: psycopg.Connection[Any], user: UUID | None, **claims: Any) -> None:
    """Act as the API does for a caller, in a transaction of its own; None is a caller without claims."""
    connection.rollback()
    connection.execute("SET LOCAL ROLE authenticated")
    if user is not None:
        said = orjson.dumps({"sub": str(user), **claims}).decode()
        connection.execute("SELECT set_config('request.jwt.claims', %s, true)", (said,))


@contextmanager
def peopled(database: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection to a database in which Ana and Bea own one of everything, and a public template each."""
    with psycopg.connect(database) as opened:
        for user in (ANA, BEA, ADMIN):
            opened.execute("INSERT INTO auth.users (id) VALUES (%s)", (user,))
        opened.execute(_INSERT, (OF_ANA, ANA))
        opened.execute(_INSERT, (OF_BEA, BEA))
        opened.execute(_SEED)
        opened.execute("DELETE FROM outbox")
        opened.commit()
        yield opened
        opened.rollback()


def put(connection: psycopg.Connection[Any], workflow: UUID, owner: UUID = ANA, **columns: Any) -> None:
    """Insert a workflow straight into the table."""
    values = {"name": "n", "trigger_type": "order.paid", "active": True, "actions": [TAG], **columns}
    named = [values[name] for name in ("name", "trigger_type")]
    connection.execute(_NEW, (workflow, *named, owner, values["active"], Jsonb(values["actions"])))
