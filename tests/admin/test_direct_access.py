"""The access matrix straight on Postgres, as the API acts there: row level security alone gives the API's answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest

from app.admin.routes import OPERATIONS
from app.domain.api_keys import KEY_PERMISSIONS
from app.domain.callers import PERMISSIONS, Caller
from tests.admin.direct_access import CALLERS, STATEMENTS, TABLE
from tests.admin.test_access_matrix import ROWS
from tests.integration.postgres.users import become
from tests.support.postgres import new_database

pytestmark = pytest.mark.postgres

NOBODYS: Final = ("none", "closed")
# Where an administrator may call an operation, and finds what is their own.
OWN_ALONE: Final = {"listNotifications", "readNotification"}
_THINGS: Final = """
INSERT INTO auth.users (id) VALUES (%(owner)s), (%(other)s), (%(trusted)s), (%(admin)s);
INSERT INTO users (id, email, name, role)
  VALUES (%(owner)s, 'o@x.example', 'Owner', 'user'), (%(somebody)s, 's@x.example', 'Somebody', 'user');
INSERT INTO sessions (id, user_id, digest, how, expires_at)
  VALUES (%(session)s, %(owner)s, sha256('s'), 'link', now() + interval '1 day');
INSERT INTO automations (id, name, trigger_type, created_by) VALUES (%(workflow)s, 'x', 'order.paid', %(owner)s);
INSERT INTO automations (id, name, trigger_type, created_by) VALUES (%(undrafted)s, 'x', 'order.paid', %(owner)s);
INSERT INTO automations (id, name, trigger_type, created_by, deleted_at)
  VALUES (%(deleted)s, 'x', 'order.paid', %(owner)s, now());
INSERT INTO automation_drafts (automation_id, body, based_on, saved_by) VALUES (%(workflow)s, '{}', 1, %(owner)s);
INSERT INTO automation_revisions (automation_id, version, body, created_by) VALUES (%(workflow)s, 1, '{}', %(owner)s);
INSERT INTO automation_logs (automation_id, trigger_event, conditions_met, status)
  VALUES (%(workflow)s, '{}', true, 'success');
INSERT INTO timers (command_id, execution_id, workflow_id, entity, step, kind, reason, destination, due, topic, key,
  value) VALUES (gen_random_uuid(), gen_random_uuid(), %(workflow)s, 'c', 0, 'delay', '', NULL, now(), 't', '', '');
INSERT INTO automation_templates (id, name, trigger_type, created_by)
  VALUES (%(template)s, 'x', 'order.paid', %(owner)s);
INSERT INTO message_templates (id, name, kind, created_by) VALUES (%(text)s, 'm', 'sms', %(owner)s);
INSERT INTO notification_channels (id, name, service, url, version, updated_by, created_at, updated_at)
  VALUES (%(channel)s, 'c', 'JSON', '', 1, %(admin)s, now(), now());
INSERT INTO notifications (id, user_id, title, body, workflow_id, execution_id)
  VALUES (%(notification)s, %(owner)s, '', '', %(workflow)s, %(workflow)s);
INSERT INTO api_keys (id, name, digest, permissions, created_by)
  VALUES (%(api_key)s, 'k', sha256('k'), '{}', %(admin)s), (%(key)s, 'l', sha256('l'), '{}', %(admin)s);
INSERT INTO secrets (name, value, updated_by) VALUES ('OURS', 'x', %(admin)s)
"""
_IDS: Final = (
    "somebody", "deleted", "session", "workflow", "undrafted", "template", "text", "channel", "notification", "api_key",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A line of the table: what an operation comes to, and whom that lets through."""

    operation: str
    statement: str
    lets: dict[str, bool]


def rows() -> list[Row]:
    """Read the table."""
    found = []
    for line in TABLE.strip().splitlines():
        operation, _, rest = line.partition(" ")
        statement = rest.strip()
        if statement.startswith(NOBODYS):
            found.append(Row(operation, statement, {}))
            continue
        *words, nobody, owner, other, trusted, key, admin = statement.split()
        cells = (nobody, owner, other, trusted, key, admin)
        lets = {who: cell == "+" for who, cell in zip(CALLERS, cells, strict=True)}
        found.append(Row(operation, " ".join(words), lets))
    return found


TABLE_ROWS: Final = rows()
JUDGED: Final = {row.statement: row.lets for row in TABLE_ROWS if row.lets}
CHANGES: Final = sorted(name for name, statement in STATEMENTS.items() if statement.startswith(("UPDATE", "DELETE")))
CLOSED: Final = sorted({row.statement for row in TABLE_ROWS if row.statement.startswith("closed: ")})


def test_every_operation_has_a_row() -> None:
    """Who adds a route says which statement it comes to, or why to none; one lets the same by everywhere."""
    named = {row.operation for row in TABLE_ROWS}
    assert {operation.name for operation in OPERATIONS} - named == set()
    assert named - {operation.name for operation in OPERATIONS} == set()
    assert {row.statement for row in TABLE_ROWS if row.lets} == STATEMENTS.keys()
    assert [row for row in TABLE_ROWS if row.lets and JUDGED[row.statement] != row.lets] == []


@dataclass(frozen=True)
class World:
    """A database with one of everything, and who is who."""

    connection: psycopg.Connection[Any]
    ids: dict[str, UUID]

    def lets(self, who: str, statement: str) -> bool:
        """Tell whether a statement does something for a caller, with the claims that the API sets; nothing is kept."""
        self._become(who)
        try:
            return self.connection.execute(statement.encode(), {**self.ids, "me": self.ids[who]}).rowcount > 0
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ForeignKeyViolation):
            return False
        finally:
            self.connection.rollback()

    def refuses(self, who: str, statement: str) -> bool:
        """Tell whether a statement is refused to a caller, whatever rows there are."""
        self._become(who)
        try:
            self.connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            return True
        finally:
            self.connection.rollback()
        return False

    def _become(self, who: str) -> None:
        claims = _caller(who, self.ids[who]).claims
        said = {name: claims[name] for name in ("role", "app_metadata")}
        become(self.connection, None if who == "nobody" else self.ids[who], **said)


def _caller(who: str, user: UUID) -> Caller:
    if who == "admin":
        return Caller(user, "admin")
    permissions = {"trusted": PERMISSIONS, "key": KEY_PERMISSIONS}.get(who, frozenset())
    return Caller(user, "user", permissions, is_key=who == "key")


@pytest.fixture(scope="module")
def world(postgres: str, migrated_template: str) -> Iterator[World]:
    """One of everything, the owner's or an administrator's."""
    ids = {name: uuid4() for name in (*CALLERS, *_IDS)}
    with new_database(postgres, template=migrated_template) as url, psycopg.connect(url) as connection:
        for statement in _THINGS.split(";\n"):
            connection.execute(statement.encode(), ids)
        connection.commit()
        yield World(connection, ids)


@pytest.mark.parametrize("name", STATEMENTS)
def test_row_level_security_gives_the_same_answer(world: World, name: str) -> None:
    """For each kind of caller, without a line of the API's."""
    assert {who: world.lets(who, STATEMENTS[name]) for who in CALLERS} == JUDGED[name]


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_unseen_is_judged_too(world: World, name: str) -> None:
    """A statement without WHERE needs no right to see a row, so the policy of changing it stands alone there."""
    unaimed, _, _ = STATEMENTS[name].partition(" WHERE ")
    assert [who for who in CALLERS if world.lets(who, unaimed) and not JUDGED[name][who]] == []


def test_nobody_begins_a_draft_of_what_is_deleted(world: World) -> None:
    """Neither the owner nor an administrator."""
    statement = STATEMENTS["begin draft"].replace("undrafted", "deleted")
    assert [who for who in CALLERS if world.lets(who, statement)] == []


@pytest.mark.parametrize("statement", CLOSED)
def test_what_is_the_apis_own_is_closed_to_all(world: World, statement: str) -> None:
    """Also to an administrator: the API's checks cannot be gone around."""
    assert [who for who in CALLERS if not world.refuses(who, statement.removeprefix("closed: "))] == []


@pytest.mark.parametrize(
    "row", [row for row in TABLE_ROWS if row.lets], ids=lambda row: f"{row.operation}-{row.statement}"
)
def test_the_two_matrices_agree(row: Row) -> None:
    """Nobody has more on Postgres than over the API, nor less."""
    api, others = ROWS[row.operation].doors, ROWS[row.operation].others == "-" or row.statement.startswith("make")
    trusted = any(api[permission] for permission in PERMISSIONS)
    assert row.lets == {
        "nobody": api["anonymous"],
        "owner": api["nothing"],
        "other": api["nothing"] and others,
        "trusted": trusted and others,
        "key": ROWS[row.operation].keys["nothing"] and others,
        "admin": api["admin"] and row.operation not in OWN_ALONE,
    }
