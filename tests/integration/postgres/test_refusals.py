"""Why Postgres refuses a row, said in our words: with the field where it is known, and nothing that the row holds."""

import secrets
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import pytest

from app.adapters.postgres.dead_letters import DeadLetterTable
from app.adapters.postgres.execution_log import ExecutionLog
from app.adapters.postgres.pool import Pool
from app.adapters.postgres.refusals import in_our_words
from app.ports.execution_log import Refused
from tests.integration.postgres.test_dead_letter_table import letter
from tests.support.executions import EVENT, add_workflow, document

pytestmark = pytest.mark.postgres

SECRET = "swordfish7"
# What no compression makes shorter.
LONG = SECRET + secrets.token_hex(4000)
EXECUTIONS: list[tuple[str, str]] = [
    (document(workflow_id=str(uuid4())), "workflow_id: there is none with this id (SQLSTATE 23503)"),
    (document(status=SECRET * 6), "a text in it has more than 50 characters (SQLSTATE 22001)"),
    (document(entity=LONG), "entity: is longer than can be looked up by, about 2,700 bytes (SQLSTATE 54000)"),
    (document(event={**EVENT, "id": LONG}), "event.id: is longer than can be looked up by, about 2,700 bytes"),
    (document(event={**EVENT, "type": LONG}), "event.type: is longer than can be looked up by, about 2,700 bytes"),
    (document(executed_at="1990-01-01T00:00:00Z"), "executed_at: the log has no such day"),
    (document(executed_at=SECRET), "a time in it is none, or lies further off than can be stored (SQLSTATE 22007)"),
    (document(executed_at="300000-01-01T00:00:00Z"), "a time in it is none, or lies further off"),
    (document(execution_id=SECRET), "a value in it is not an id (SQLSTATE 22P02)"),
    (document(conditions_met=SECRET), "a value in it is not true or false (SQLSTATE 22P02)"),
    (document(attempt=2**40), "a number in it is larger than can be stored (SQLSTATE 22003)"),
    (document(attempt=None), "attempt: is missing (SQLSTATE 23502)"),
    (document(status=None), "status: is missing (SQLSTATE 23502)"),
    (document(event=None), "event: is missing (SQLSTATE 23502)"),
    (document(error=f"{SECRET}\0"), "a text in it cannot be stored: it holds a NUL"),
    (f'{{"{SECRET}": ', "a value in it is not JSON (SQLSTATE 22P02)"),
    (f'["{SECRET}"]', "it, or a part of it, is of another kind"),
    (
        document(event="X").replace('"X"', "[" * 300_000 + "]" * 300_000),
        "it nests deeper than can be stored (SQLSTATE 54001)",
    ),
]
LETTERS: list[tuple[dict[str, Any], str]] = [
    ({"topic": None}, "topic: is missing (SQLSTATE 23502)"),
    ({"value": f"%{SECRET}"}, "it, or a part of it, is of another kind"),
    ({"partition": SECRET}, "a value in it is not what it is to be (SQLSTATE 22P02)"),
    ({"failed_at": "19999-01-01T00:00:00Z"}, "failed_at_readable: is nothing that is stored there (SQLSTATE 23514)"),
    ({"source": LONG}, "source: is longer than can be looked up by, about 2,700 bytes"),
]


@pytest.mark.parametrize(("text", "said"), EXECUTIONS)
async def test_an_execution_is_refused_in_our_words(database: str, sink_pool: Pool, text: str, said: str) -> None:
    """The sink makes a dead letter of it, which administrators read."""
    add_workflow(database)
    (outcome,) = await ExecutionLog(sink_pool).write([text])
    check(outcome, said)


@pytest.mark.parametrize(("changes", "said"), LETTERS)
async def test_a_dead_letter_is_refused_in_our_words(sink_pool: Pool, changes: dict[str, Any], said: str) -> None:
    """One that somebody else has put on their topic."""
    (outcome,) = await DeadLetterTable(sink_pool).store([orjson.dumps(orjson.loads(letter()) | changes).decode()])
    check(outcome, said)


def check(outcome: object, said: str) -> None:
    """See that it was refused so, without what the row holds."""
    assert isinstance(outcome, Refused), outcome
    assert outcome.detail.startswith(said), outcome
    assert SECRET not in outcome.detail
    assert len(outcome.detail) < 200


@pytest.mark.parametrize("code", ["22012", "23P01", "54011"])
def test_what_nobody_thought_of_is_said_by_its_code(code: str) -> None:
    """Without Postgres's words, whatever they hold."""
    error = psycopg.errors.lookup(code)(f"whatever {SECRET}")
    assert in_our_words(error) == f"it cannot be stored (SQLSTATE {code})"


def test_what_the_driver_refuses_is_said() -> None:
    """It has no code."""
    assert in_our_words(psycopg.DataError(SECRET)) == "it holds a value that cannot be sent to Postgres"
