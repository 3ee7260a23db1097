"""Sign-ins that failed and sessions that ended, on the audit trail: counted, bounded, and in whose name."""

from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.integration.postgres.test_audit_trail import forget, trail
from tests.integration.postgres.users import ADMIN, ANA, OF_ANA, become

pytestmark = pytest.mark.postgres

_TRY = "SELECT headrace_note_failed_sign_in(%s, %s, 'wrong_password', 1)"


def tries(connection: psycopg.Connection[Any]) -> dict[tuple[str, str], int]:
    """How often who was tried from where."""
    said = [(row[4], row[-1]) for row in trail(connection)]
    return {(account, one["address"]["new"]): one["attempts"]["new"] for account, one in said}


def test_guessing_at_an_account_from_everywhere_does_not_fill_the_trail(connection: psycopg.Connection[Any]) -> None:
    """Fifty addresses an hour have lines of their own; what comes from others counts up in one."""
    add_person(connection)
    forget(connection)
    connection.execute("SET LOCAL ROLE headrace_api")
    for number in range(60):
        for _ in range(2):
            connection.execute(_TRY, ("ana@example.com", f"192.0.2.{number}"))
    found = tries(connection)
    assert len(found) == 51
    assert found[str(ANA), "192.0.2.49"] == 2
    assert found[str(ANA), "others"] == 20


def test_guessing_at_accounts_that_are_not_there_does_not_hide_those_that_are(
    connection: psycopg.Connection[Any],
) -> None:
    """All names that there are not share two hundred lines an hour; an account's own are told beside them."""
    add_person(connection)
    forget(connection)
    connection.execute("SET LOCAL ROLE headrace_api")
    for number in range(230):
        connection.execute(_TRY, (f"{number}@example.com", "192.0.2.1"))
    connection.execute(_TRY, ("ANA@example.com", "192.0.2.1"))
    found = tries(connection)
    assert len(found) == 202
    assert (found["others", "others"], found[str(ANA), "192.0.2.1"]) == (30, 1)


_UP = """'{"attempts": {"new": 9}}'"""


@pytest.mark.parametrize(
    "change",
    [
        "name = 'x'",
        f"name = 'x', changes = changes || {_UP}",
        f"at = now() - interval '1 day', changes = changes || {_UP}",
        "changes = changes || '{\"why\": 1}'",
        f"changes = changes || '{{\"why\": 1}}' || {_UP}",
        'changes = \'{"attempts": {"new": 0}}\'',
    ],
)
def test_a_count_goes_up_and_nothing_else_changes(connection: psycopg.Connection[Any], change: str) -> None:
    """Not for the table's owner either."""
    connection.execute(_TRY, ("x@example.com", "192.0.2.1"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"UPDATE audit_trail SET {change} WHERE action = 'sign_in_failed'".encode())  # noqa: S608 - our own words


@pytest.mark.parametrize(
    ("who", "lives", "told"),
    [(ANA, "1 day", "signed_out"), (ADMIN, "1 day", "ended"), (None, "1 day", "ended"), (None, "-1 day", None)],
    ids=["own", "an administrator's", "ours", "its time has come"],
)
def test_the_end_of_a_session_says_by_whom(
    connection: psycopg.Connection[Any], who: UUID | None, lives: str, told: str | None
) -> None:
    """By its user, by an administrator, by the API where there are too many; not where it has expired."""
    add_person(connection)
    connection.execute(
        "INSERT INTO sessions (id, user_id, digest, how, expires_at)"
        " VALUES (%s, %s, sha256('secret'), 'password', now() + %s::interval)",
        (OF_ANA, ANA, lives),
    )
    connection.commit()
    forget(connection)
    if who is not None:
        become(connection, who, role="admin" if who == ADMIN else "user")
    connection.execute("SET LOCAL ROLE headrace_api")
    connection.execute("DELETE FROM sessions")
    assert [(row[0], row[2]) for row in trail(connection)] == ([(who, told)] if told else [])


def add_person(connection: psycopg.Connection[Any]) -> None:
    """Make Ana somebody who signs in."""
    connection.execute(
        "INSERT INTO users (id, email, name, role) VALUES (%s, 'ana@example.com', 'Ana', 'user')", (ANA,)
    )
    connection.commit()
