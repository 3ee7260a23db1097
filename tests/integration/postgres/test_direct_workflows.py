"""Workflows written straight into the tables, with a user's token: what reaches the matchers is what is stored."""

from typing import Any, Final
from uuid import uuid4

import orjson
import psycopg
import pytest
from psycopg.types.json import Jsonb
from pydantic import ValidationError

from app.services.workflows.index import Applied, WorkflowIndex
from app.topics import WORKFLOWS
from schemas.event_types import BUSINESS_EVENT_TYPES, TEMPORAL_EVENT_TYPES, is_event_type
from schemas.workflow import MAX_REVISION_BYTES, Action, Revision
from tables.workflows import read_change
from tests.integration.postgres.users import ADMIN, ANA, BEA, OF_ANA, OF_BEA, TAG, become, put

pytestmark = pytest.mark.postgres

Connection = psycopg.Connection[Any]


def announced(connection: Connection) -> list[tuple[str, Any]]:
    """What waits in the outbox, as the relay and a matcher read it, in order."""
    connection.execute("RESET ROLE")
    rows = connection.execute("SELECT topic, key, value FROM outbox ORDER BY id").fetchall()
    return [(topic, read_change(key, value)) for topic, key, value in rows]


def test_what_is_stored_is_what_is_announced(connection: Connection) -> None:
    """A new row and each change of it become a revision, by its author, and a record for the matchers: as stored."""
    workflow = uuid4()
    become(connection, ANA)
    put(connection, workflow, actions=[{**TAG, "order": 2}, TAG])
    connection.execute(
        "UPDATE automations SET name = 'm', priority = 1, conditions = %s, reentry = %s, description = 'd'"
        " WHERE id = %s",
        (Jsonb([{"field": "a", "operator": "==", "value": 1e19}]), '{"once": true, "key": "cart.id"}', workflow),
    )
    (first, one), (second, two) = announced(connection)
    assert (first, second) == (WORKFLOWS, WORKFLOWS)
    assert (one.id, one.owner, one.version, one.active, one.deleted, one.name) == (workflow, ANA, 1, True, False, "n")
    assert [action.order for action in one.actions] == [1, 2]
    assert (two.version, two.name, two.priority, two.reentry) == (2, "m", 1, {"once": True, "key": "cart.id"})
    assert two.conditions == [{"field": "a", "operator": "==", "value": 1e19}]
    stored = connection.execute("SELECT version, updated_at, tombstoned_at FROM automations WHERE id = %s", (workflow,))
    assert stored.fetchall() == [(2, two.updated_at, None)]
    revisions = "SELECT version, created_by, body ->> 'description' FROM automation_revisions WHERE automation_id = %s"
    assert connection.execute(revisions + " ORDER BY 1", (workflow,)).fetchall() == [(1, ANA, ""), (2, ANA, "d")]


def test_an_administrators_change_names_the_administrator(connection: Connection) -> None:
    """The owner stays, the author is who did it."""
    become(connection, ADMIN, role="admin")
    connection.execute("UPDATE automations SET name = 'fixed' WHERE id = %s", (OF_BEA,))
    author = connection.execute(
        "SELECT created_by FROM automation_revisions WHERE automation_id = %s AND version = 2", (OF_BEA,)
    )
    assert author.fetchall() == [(ADMIN,)]
    assert [change.owner for _, change in announced(connection)] == [BEA]


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE automations SET created_by = '00000000-0000-4000-8000-00000000000b'",
        "UPDATE automations SET id = gen_random_uuid()",
        "UPDATE automations SET version = 1",
        "UPDATE automations SET version = 2147483647",
        "UPDATE automations SET created_at = '2000-01-01'",
        "UPDATE automations SET updated_at = '2100-01-01'",
        "UPDATE automations SET tombstoned_at = now()",
    ],
)
def test_what_the_database_knows_is_not_the_users_to_write(connection: Connection, forgery: str) -> None:
    """Owner, id, version and times of their own workflow."""
    become(connection, ANA)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(forgery.encode())


def test_versions_only_go_up(connection: Connection) -> None:
    """Each change is the next, whatever the user does."""
    become(connection, ANA)
    for _ in range(3):
        connection.execute("UPDATE automations SET name = name")
    assert [change.version for _, change in announced(connection)] == [2, 3, 4]


def test_what_is_deleted_only_comes_back_as_it_was(connection: Connection) -> None:
    """The time is the database's and the workflow is off; it is not changed, and restored it is as before, and off."""
    become(connection, ANA)
    connection.execute("UPDATE automations SET active = true, actions = %s", (Jsonb([TAG]),))
    connection.execute("UPDATE automations SET deleted_at = '2000-01-01'")
    for change in ("UPDATE automations SET active = true", "UPDATE automations SET name = 'x', deleted_at = now()"):
        assert connection.execute(change.encode()).rowcount == 0
    row = "SELECT name, active, deleted_at = updated_at, version, actions FROM automations WHERE id = %s"
    assert connection.execute(row, (OF_ANA,)).fetchall() == [("x", False, True, 3, [TAG])]
    connection.execute("UPDATE automations SET deleted_at = NULL, active = true, name = 'y', actions = '[]'")
    assert connection.execute(row, (OF_ANA,)).fetchall() == [("x", False, None, 4, [TAG])]
    (_, on), (_, gone), (_, back) = announced(connection)
    assert (on.active, gone.active, gone.deleted) == (True, False, True)
    assert (back.active, back.deleted, back.version, back.name) == (False, False, 4, "x")


def test_a_tombstone_is_taken_back(connection: Connection) -> None:
    """A workflow that is restored after its tombstone is compared with the matchers' tables again."""
    become(connection, ANA)
    connection.execute("UPDATE automations SET deleted_at = now()")
    connection.execute("RESET ROLE")
    connection.execute("UPDATE automations SET tombstoned_at = now() WHERE id = %s", (OF_ANA,))
    connection.commit()
    become(connection, ANA)
    connection.execute("UPDATE automations SET deleted_at = NULL")
    assert connection.execute("SELECT tombstoned_at FROM automations").fetchall() == [(None,)]


def test_a_restored_workflow_counts_for_its_owners_quota(connection: Connection) -> None:
    """Who has deleted one to make another has no room for both."""
    connection.execute("UPDATE workflow_quotas SET workflows = 1")
    connection.commit()
    become(connection, ANA)
    connection.execute("UPDATE automations SET deleted_at = now()")
    put(connection, uuid4())
    with pytest.raises(psycopg.Error) as refused:
        connection.execute("UPDATE automations SET deleted_at = NULL WHERE id = %s", (OF_ANA,))
    assert refused.value.sqlstate == "PT409"


DRAFT: Final = "INSERT INTO automation_drafts (automation_id, body, based_on) VALUES (%s, %s, 1)"


def test_a_draft_is_of_ones_own_workflow(connection: Connection) -> None:
    """Its number, author and time are the database's; nobody writes one beside another's workflow, or a deleted one."""
    become(connection, ANA)
    connection.execute(DRAFT, (OF_ANA, Jsonb({"any": 1})))
    connection.execute("UPDATE automation_drafts SET body = NULL")
    row = connection.execute("SELECT version, saved_by FROM automation_drafts").fetchall()
    assert row == [(2, ANA)]
    connection.commit()
    for workflow in (OF_BEA, OF_ANA):
        become(connection, ANA)
        connection.execute("UPDATE automations SET deleted_at = now()")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(DRAFT + " ON CONFLICT (automation_id) DO UPDATE SET based_on = 1", (workflow, Jsonb({})))
    become(connection, BEA)
    assert connection.execute("SELECT FROM automation_drafts").rowcount == 0
    assert connection.execute("UPDATE automation_drafts SET body = NULL").rowcount == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE automation_drafts SET version = 1",
        "UPDATE automation_drafts SET saved_by = gen_random_uuid()",
        "UPDATE automation_drafts SET saved_at = now()",
        "UPDATE automation_drafts SET automation_id = gen_random_uuid()",
        "DELETE FROM automation_drafts",
        "UPDATE automation_last_runs SET last_run_at = now()",
    ],
)
def test_what_a_draft_says_of_itself_is_not_the_users_to_write(connection: Connection, statement: str) -> None:
    """Nor when a workflow ran last."""
    become(connection, ANA)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


@pytest.mark.parametrize("body", ["[]", "5", '"x"', "null", '{"a": ' * 101 + "1" + "}" * 101])
def test_a_draft_is_an_object(connection: Connection, body: str) -> None:
    """Of a depth that can be read."""
    become(connection, ANA)
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(DRAFT, (OF_ANA, body))


ACTIONS: Final = [
    {},
    {"type": "x"},
    {"order": 1},
    TAG,
    {"type": "", "order": 1},
    {"type": "x" * 100, "order": 0},
    {"type": "x" * 101, "order": 0},
    {"type": 5, "order": 1},
    {"type": "x", "order": "one"},
    {"type": "x", "order": -1},
    {"type": "x", "order": 1_000_000},
    {"type": "x", "order": 1_000_001},
    {"type": "x", "order": 1.5},
    {"type": "x", "order": None},
    {"type": "x", "order": 1, "config": []},
    {"type": "x", "order": 1, "config": None},
    {"type": "x", "order": 1, "conditions": [{}]},
    {"type": "x", "order": 1, "conditions": [{}] * 100},
    {"type": "x", "order": 1, "conditions": [{}] * 101},
    {"type": "x", "order": 1, "conditions": {}},
    {"type": "x", "order": 1, "conditions": [1]},
    {"type": "x", "order": 1, "on_error": "stop"},
    {"type": "x", "order": 1, "on_error": None},
    {"type": "x", "order": 1, "on_error": "jump"},
    {"type": "x", "order": 1, "more": 1},
    [TAG],
    "x",
    None,
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: orjson.dumps(action).decode()[:60])
def test_an_action_that_no_reader_could_load_is_refused(connection: Connection, action: Any) -> None:
    """The table takes what the contract takes, and nothing else."""
    try:
        Action.model_validate(action)
        readable = True
    except ValidationError:
        readable = False
    become(connection, ANA)
    if readable:
        put(connection, uuid4(), actions=[action])
        return
    with pytest.raises(psycopg.errors.CheckViolation, match="actions"):
        put(connection, uuid4(), actions=[action])


KINDS: Final = [
    *BUSINESS_EVENT_TYPES,
    *TEMPORAL_EVENT_TYPES,
    "custom.a",
    "custom.a-b.c_1",
    "custom.",
    "custom.A",
    "x.y",
    "",
]


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_knows_the_event_types(connection: Connection, kind: str) -> None:
    """Those of the code: a new one needs a migration, and this says so."""
    become(connection, ANA)
    if is_event_type(kind):
        put(connection, uuid4(), trigger_type=kind)
        return
    with pytest.raises(psycopg.errors.CheckViolation, match="trigger_type"):
        put(connection, uuid4(), trigger_type=kind)


@pytest.mark.parametrize(
    "columns",
    [
        {"name": "  "},
        {"actions": []},
        {"actions": [{**TAG, "order": number} for number in range(51)]},
        {"actions": [{**TAG, "config": orjson.loads(b'{"a":' * 120 + b"1" + b"}" * 120)}]},
        {"actions": [{**TAG, "config": {"tag": "x" * MAX_REVISION_BYTES}}]},
        {"actions": {"a": 1}},
    ],
    ids=["no name", "no action", "too many", "too deep", "too large", "no array"],
)
def test_what_cannot_run_is_refused_and_leaves_nothing(connection: Connection, columns: dict[str, Any]) -> None:
    """With the field in the message; no row, no revision, no record."""
    become(connection, ANA)
    with pytest.raises((psycopg.errors.CheckViolation, psycopg.DataError)):
        put(connection, uuid4(), **columns)
    connection.rollback()
    assert announced(connection) == []


def test_the_bound_on_revisions_is_the_apis(connection: Connection) -> None:
    """128 KiB as the matchers' records are encoded, not as Postgres writes JSON out."""
    become(connection, ANA)
    put(connection, uuid4(), actions=[{**TAG, "config": {"numbers": [1] * 60_000, "text": '", : \\" '}}])
    (_, change), *_ = announced(connection)
    assert isinstance(change, Revision)
    assert MAX_REVISION_BYTES * 0.9 < len(change.encode()) < MAX_REVISION_BYTES
    become(connection, ANA)
    with pytest.raises(psycopg.errors.CheckViolation, match="131072"):
        put(connection, uuid4(), actions=[{**TAG, "config": {"numbers": [1] * 66_000}}])


def test_what_does_not_compile_stops_itself_only(connection: Connection) -> None:
    """A matcher that reads what a user wrote past our API goes on: that workflow is broken, until it is mended."""
    become(connection, ANA)
    put(connection, uuid4(), ANA, name="good")
    connection.execute("UPDATE automations SET actions = %s, active = true", (Jsonb([TAG]),))
    bad = [{"field": "a", "operator": "no such operator", "value": 1}]
    connection.execute("UPDATE automations SET conditions = %s WHERE id = %s", (Jsonb(bad), OF_ANA))
    index = WorkflowIndex()
    outcomes = [index.apply(change) for _, change in announced(connection)]
    assert outcomes[-1] is Applied.BROKEN
    assert outcomes.count(Applied.ACTIVE) == len(outcomes) - 1
    assert [workflow.pinned.name for workflow in index.matching("order.paid")] == ["good"]
