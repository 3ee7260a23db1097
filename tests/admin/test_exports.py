"""Exports: all rows that were asked for, each once, as a spreadsheet may open them."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from app.admin.csv_rows import csv_lines
from tests.admin.conftest import Api, User
from tests.admin.log import NOW, Log

PATH = "/api/v1/executions/export"


async def exported(user: User, **query: Any) -> str:
    """The text of an export."""
    answer = await user.call("GET", PATH, params={name: str(value) for name, value in query.items()})
    assert answer.status == 200, answer
    return str(answer.json)


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\uff1d1"])
def test_no_cell_is_a_formula(value: str) -> None:
    """What begins like one gets an apostrophe; what does not is as it was, and is read back."""
    assert next(csv.reader(io.StringIO(csv_lines([[value]]).decode(), newline=""))) == [f"'{value}"]


def test_lines_are_those_of_rfc_4180() -> None:
    """Quotes, commas and line ends in a cell are read back; numbers below zero stay numbers."""
    row = ['say "no", or', "two\r\nlines", None, True, -3]
    written = csv_lines([row])
    assert written.endswith(b"\r\n")
    assert list(csv.reader(io.StringIO(written.decode(), newline=""))) == [[*row[:2], "", "true", "-3"]]


async def test_an_export_has_every_row_once(api: Api, user: User, log: Log) -> None:
    """More than a page of them, in both forms and orders, those of the filter alone, and of nobody else."""
    workflow, other = await user.create(name="=cmd|' /C calc'!A0"), api.user()
    await log.add(await other.create())
    begin = NOW - timedelta(hours=13)
    made = [str((await log.add(workflow, at=begin + timedelta(seconds=n // 3)))["id"]) for n in range(520)]
    failed = await log.add(workflow, at=begin, status="failed", error="-1 is no amount")
    rows = list(csv.DictReader(io.StringIO(await exported(user, sort="executed_at"), newline="")))
    assert sorted(row["id"] for row in rows) == sorted([*made, str(failed["id"])])
    assert [row["executed_at"] for row in rows] == sorted(row["executed_at"] for row in rows)
    assert {row["workflow_name"] for row in rows} == {"'=cmd|' /C calc'!A0"}
    lines = [orjson.loads(line) for line in (await exported(user, format="jsonl")).splitlines()]
    assert sorted(line["id"] for line in lines) == sorted(row["id"] for row in rows)
    (only,) = csv.DictReader(io.StringIO(await exported(user, status="failed"), newline=""))
    assert (only["id"], only["error"]) == (str(failed["id"]), "'-1 is no amount")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_an_export_has_nothing_of_anothers(api: Api, user: User, log: Log, form: str) -> None:
    """Whatever it asks for; an administrator's has it."""
    row = await log.add(await user.create())
    asked = {"format": form, "event_id": "e-1"}
    for who, there in ((user, True), (api.user(), False), (api.user("admin"), True)):
        answer = await who.call("GET", "/api/v1/executions/export", params=asked)
        assert (answer.status, str(row["id"]) in str(answer.json)) == (200, there)


async def test_what_runs_after_an_export_began_is_not_in_it(user: User, log: Log) -> None:
    """Whatever its ``to`` says: so it ends, however fast rows come."""
    workflow, now = await user.create(), datetime.now(UTC)
    ran = await log.add(workflow, at=now - timedelta(minutes=1))
    await log.add(workflow, at=now + timedelta(hours=1))
    for query in ({}, {"to": now + timedelta(hours=2)}):
        lines = (await exported(user, format="jsonl", **query)).splitlines()
        assert [orjson.loads(line)["id"] for line in lines] == [str(ran["id"])]


async def test_a_wrong_export_is_refused_before_it_begins(user: User) -> None:
    """With the field that is wrong."""
    answer = await user.call("GET", PATH, params={"format": "xlsx"})
    assert (answer.status, [one["path"] for one in answer.json["errors"]]) == (400, ["format"])
