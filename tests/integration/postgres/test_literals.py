"""What goes to Postgres as an array of ours is there what it was here."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

import orjson
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.postgres import literals
from app.adapters.postgres.pool import Pool

pytestmark = pytest.mark.postgres

_ZONES = st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))
# Postgres gives times in UTC, which must be within what Python has.
_TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=_ZONES)  # noqa: DTZ001 - bounds have no zone
_DOCUMENTS = "SELECT unnest(%s::jsonb[])"
_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


async def _there_and_back(pool: Pool, statement: str, sent: object) -> list[Any]:
    async with pool.connection() as connection:
        found = await connection.execute(statement.encode(), (sent,))
        return [row[0] for row in await found.fetchall()]


@pytest.mark.parametrize(
    ("statement", "dump", "values"),
    [
        ("SELECT unnest(%s::uuid[])", literals.uuids, st.none() | st.uuids()),
        ("SELECT unnest(%s::timestamptz[])", literals.timestamps, st.none() | _TIMES),
        ("SELECT unnest(%s::text[])", literals.texts, st.none() | _TEXTS),
        ("SELECT unnest(%s::bytea[])", literals.byte_strings, st.none() | st.binary()),
        ("SELECT unnest(%s::int[])", literals.integers, st.integers(-(2**31), 2**31 - 1)),
        ("SELECT unnest(%s::bool[])", literals.booleans, st.booleans()),
    ],
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_an_array_arrives(
    pool: Pool,
    statement: str,
    dump: Callable[[Iterable[Any]], object],
    values: st.SearchStrategy[Any],
    data: st.DataObject,
) -> None:
    """Of any length, with any value."""
    sent = data.draw(st.lists(values))
    assert await _there_and_back(pool, statement, dump(sent)) == sent


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.dictionaries(_TEXTS, _TEXTS | st.integers(-(2**53), 2**53) | st.none() | st.booleans())))
async def test_documents_arrive(pool: Pool, values: list[dict[str, Any]]) -> None:
    """Each as one, whatever stands in it."""
    sent = literals.json_documents(orjson.dumps(value).decode() for value in values)
    assert await _there_and_back(pool, _DOCUMENTS, sent) == values


@pytest.mark.parametrize("text", ["{},{}", "{}]", '{"a": 1', "", '"\x00"', '"\\u0000"', "NaN"])
async def test_what_is_no_document_is_refused(pool: Pool, text: str) -> None:
    """It is the value that is at fault: no part of it becomes a document, nor does anything beside it."""
    with pytest.raises(psycopg.DataError):
        await _there_and_back(pool, _DOCUMENTS, literals.json_documents(["{}", text]))


def test_a_text_with_a_nul_is_refused() -> None:
    """As psycopg refuses one: it is the value that is at fault."""
    with pytest.raises(psycopg.DataError, match="cannot contain NUL"):
        literals.texts(["one", "t\0o", None])
    assert literals.byte_strings([b"t\0o"])


async def test_a_time_without_a_zone_is_in_utc(pool: Pool) -> None:
    """As it is where Postgres reads one."""
    sent = [datetime(2026, 1, 1, 12)]  # noqa: DTZ001 - that is what is tried
    there = await _there_and_back(pool, "SELECT unnest(%s::timestamptz[])", literals.timestamps(sent))
    assert there == await _there_and_back(pool, "SELECT unnest(%s::timestamptz[])", sent) == [literals.aware(sent[0])]
