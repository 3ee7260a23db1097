"""Dead letters through the API: what is shown, replayed and discarded, and by whom."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.dead_letter_box import PostgresDeadLetterBox
from app.adapters.postgres.outbox import read_headers
from app.domain.callers import Caller
from app.ports.dead_letter_box import Stored
from app.settings import Settings
from tests.admin.conftest import Api, User
from tests.admin.log import NOW, Log
from tests.support.sessions import signed_in
from tests.support.waiting import eventually

ROOT = "/api/v1/dead-letters"
TOPIC = "t.events.order"
_INSERT = """
    INSERT INTO dead_letters (topic, "partition", "offset", reason, detail, key, value, size, cut, headers, role,
      failed_at, event_id, source, entity, barred)
    VALUES (%(topic)s, 0, %(offset)s, %(reason)s, 'it is no JSON', %(key)s, %(value)s, %(size)s, %(cut)s, %(headers)s,
      %(role)s, %(failed_at)s, %(event_id)s, %(source)s, %(entity)s, %(barred)s) RETURNING id
"""
_OUTBOX = "SELECT topic, key, value, headers FROM outbox WHERE key = %s"


Look = Callable[[int], Awaitable[str]]


@pytest.fixture
def looked_at(api: Api, api_database: str, settings: Settings) -> Look:
    """Return what opens a letter's page."""

    async def look(number: int) -> str:
        who = await signed_in(api_database, settings, "admin")
        async with api.client.get(f"/queue/dead-letters/{number}", headers=who.cookie) as page:
            assert page.status == 200
            return await page.text()

    return look


def encoded(data: bytes | None) -> str | None:
    """Base64, as dead letters hold it."""
    return None if data is None else base64.b64encode(data).decode()


async def letter(log: Log, **changes: Any) -> int:
    """Store a dead letter as the sink would; returns its number."""
    row = {
        "topic": TOPIC, "offset": uuid4().int % 2**62, "reason": "not_json", "key": b"c-1", "value": b"{no json",
        "size": 8, "cut": False, "role": "matcher", "failed_at": NOW,
        "event_id": None, "source": None, "entity": None, "barred": None, **changes,
    }  # fmt: skip
    row["headers"] = Jsonb([[name, encoded(value)] for name, value in changes.get("headers", ())])
    (number,) = await (await log.connection.execute(_INSERT, row)).fetchone() or (0,)
    return int(number)


async def outbox(log: Log, key: bytes) -> list[Any]:
    """What waits to be sent under a key."""
    return await (await log.connection.execute(_OUTBOX, (key,))).fetchall()


@pytest.mark.parametrize(
    "case",
    [
        (5, [], 1),
        ({"ab": 1}, [], 1),
        (None, [], 0),
        ([5, "ab", ["a"], ["a", "YQ==", "c"], [1, "YQ=="], ["a", 5]], [], 6),
        ([["a", "no base64"], ["b", "\u00e4"], ["c", "YQ"]], [], 3),
        ([["a", "YQ=="], None, ["b", None]], [["a", {"base64": "YQ==", "text": "a"}], ["b", None]], 1),
    ],
)
async def test_headers_that_are_none_are_left_out(
    admin: User, log: Log, looked_at: Look, case: tuple[Any, list[Any], int]
) -> None:
    """A service that listens may say anything in a letter: the rest is shown, and nothing is replayed without them."""
    headers, shown, left_out = case
    number = await letter(log)
    await log.connection.execute("UPDATE dead_letters SET headers = %s WHERE id = %s", (Jsonb(headers), number))
    answer = await admin.call("GET", f"{ROOT}/{number}")
    assert (answer.status, answer.json["headers"], answer.json["headers_left_out"]) == (200, shown, left_out)
    page = await looked_at(number)
    assert ("cannot be read, and" in page) is bool(left_out)
    replayed = await admin.call("POST", f"{ROOT}/{number}/replay")
    assert replayed.status == (409 if left_out else 202)
    assert (await admin.call("DELETE", f"{ROOT}/{number}")).status == (204 if left_out else 409)


async def test_only_administrators_may_see_dead_letters(user: User, log: Log) -> None:
    """A record may hold anybody's data: users get 403, for each of the operations."""
    number = await letter(log)
    for method, path in (("GET", ""), ("GET", f"/{number}"), ("POST", f"/{number}/replay"), ("DELETE", f"/{number}")):
        assert (await user.call(method, f"{ROOT}{path}")).status == 403, (method, path)


async def test_a_dead_letter_is_shown_with_its_bytes(admin: User, log: Log) -> None:
    """Text as text, other bytes in base64 only, null as null; the list leaves bytes out."""
    reason = uuid4().hex
    number = await letter(log, reason=reason, value=b"\xff\x00", headers=[("ce_id", b"1"), ("x", None)])
    shown = (await admin.call("GET", f"{ROOT}/{number}")).json
    assert (shown["number"], shown["state"], shown["topic"]) == (number, "open", TOPIC)
    assert shown["key"] == {"base64": encoded(b"c-1"), "text": "c-1"}
    assert shown["value"] == {"base64": encoded(b"\xff\x00"), "text": None}
    assert shown["headers"] == [["ce_id", {"base64": encoded(b"1"), "text": "1"}], ["x", None]]
    (line,) = (await admin.call("GET", f"{ROOT}?reason={reason}")).json["items"]
    assert (line["number"], "value" in line, "key" in line) == (number, False, False)


@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.binary(min_size=1, max_size=20),
    value=st.none() | st.binary(max_size=50),
    headers=st.lists(st.tuples(st.sampled_from(["ce_id", "x", "content-type"]), st.binary(max_size=10)), max_size=4),
)
async def test_a_replay_sends_what_came(
    api: Api, log: Log, key: bytes, value: bytes | None, headers: list[tuple[str, bytes]]
) -> None:
    """Whatever bytes the record had go back to its topic through the outbox: key, value, headers in order."""
    marked = uuid4().bytes + key
    number = await letter(log, key=marked, value=value, headers=headers)
    answer = await api.user("admin").call("POST", f"{ROOT}/{number}/replay")
    assert answer.status == 202, answer.json
    ((topic, sent_key, sent_value, sent_headers),) = await outbox(log, marked)
    assert (topic, sent_key, sent_value, read_headers(sent_headers)) == (TOPIC, marked, value, headers)


async def test_a_replayed_dead_letter_is_marked_and_not_replayed_again(admin: User, log: Log) -> None:
    """Of concurrent clicks one is accepted; the letter says who replayed it, and when."""
    key = uuid4().bytes
    number = await letter(log, key=key)
    answers = await asyncio.gather(*(admin.call("POST", f"{ROOT}/{number}/replay") for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [202] + [409] * 5
    assert len(await outbox(log, key)) == 1
    shown = (await admin.call("GET", f"{ROOT}/{number}")).json
    assert (shown["state"], shown["by"]) == ("replayed", str(admin.id))
    assert shown["at"] is not None
    assert (await admin.call("DELETE", f"{ROOT}/{number}")).status == 409


async def test_who_works_on_a_dead_letter_has_it_alone(settings: Settings, log: Log) -> None:
    """A second transaction waits for the first, and then sees what it has done."""
    number = await letter(log)
    pool = ApiDatabase(settings)
    store = PostgresDeadLetterBox(pool)

    async def second() -> Stored | None:
        async with store.transaction(Caller(uuid4(), "admin")) as transaction:
            return await transaction.get(number)

    async with store.transaction(Caller(uuid4(), "admin")) as first:
        await first.get(number)
        waiting = asyncio.create_task(second())
        await eventually(partial(blocked, log), what="the second to wait for the first")
        await first.mark(number, "discarded", NOW, UUID(int=1))
    seen = await waiting
    assert seen is not None
    assert seen.summary.state == "discarded"
    await pool.close()


async def blocked(log: Log) -> int:
    """How many transactions of this database wait for another."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return int((await (await log.connection.execute(query)).fetchall())[0][0])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cut": True, "size": 70_000}, "64 KiB"),
        ({"key": b"k" * 4096}, "may have been cut"),
        ({"headers": [("x", b"y" * 1024)]}, "may have been cut"),
        ({"headers": [("x", b"y")] * 64}, "may have been cut"),
        ({"key": None, "value": None}, "neither key nor value"),
        ({"topic": "elsewhere.events"}, "elsewhere.events"),
        ({"topic": "t.internal-events", "barred": "a listener's, which may say anything"}, "may say anything"),
    ],
)
async def test_what_cannot_go_back_whole_is_not_replayed(
    admin: User, log: Log, changes: dict[str, Any], said: str
) -> None:
    """409 that says why; nothing is sent, and the letter stays open."""
    key = uuid4().bytes
    number = await letter(log, **{"key": key, **changes})
    answer = await admin.call("POST", f"{ROOT}/{number}/replay")
    assert (answer.status, said in answer.json["detail"]) == (409, True), answer.json
    assert await outbox(log, key) == []
    assert (await admin.call("GET", f"{ROOT}/{number}")).json["state"] == "open"


async def test_a_discarded_dead_letter_is_done_with(admin: User, log: Log) -> None:
    """It says who discarded it, is not listed as open, and is neither replayed nor discarded again."""
    reason = uuid4().hex
    number, other = await letter(log, reason=reason), await letter(log, reason=reason)
    assert (await admin.call("DELETE", f"{ROOT}/{number}")).status == 204
    shown = (await admin.call("GET", f"{ROOT}/{number}")).json
    assert (shown["state"], shown["by"]) == ("discarded", str(admin.id))
    still_open = (await admin.call("GET", f"{ROOT}?reason={reason}&state=open")).json["items"]
    assert [line["number"] for line in still_open] == [other]
    assert (await admin.call("POST", f"{ROOT}/{number}/replay")).status == 409
    assert (await admin.call("DELETE", f"{ROOT}/{number}")).status == 409


async def test_pages_hold_every_dead_letter_once(admin: User, log: Log) -> None:
    """Newest first, page by page, with filters on time and role."""
    reason = uuid4().hex
    made = [await letter(log, reason=reason, failed_at=NOW + timedelta(minutes=n)) for n in range(5)]
    await letter(log, reason=reason, role="sink")
    seen: list[int] = []
    query = {"reason": reason, "role": "matcher", "limit": "2"}
    while page := (await admin.call("GET", ROOT, params=query)).json["items"]:
        seen += [line["number"] for line in page]
        query["before"] = str(seen[-1])
    assert seen == made[::-1]
    span = {"from": (NOW + timedelta(minutes=1)).isoformat(), "to": (NOW + timedelta(minutes=3)).isoformat()}
    within = (await admin.call("GET", ROOT, params={"reason": reason, "role": "matcher", **span})).json["items"]
    assert [line["number"] for line in within] == made[2:0:-1]


@pytest.mark.parametrize("field", ["event_id", "source", "entity", "topic", "role", "reason"])
async def test_dead_letters_are_found_by_what_they_are_about(admin: User, log: Log, field: str) -> None:
    """Page by page, together with the other filters; the answer says what each is about."""
    name = uuid4().hex
    made = [await letter(log, **{field: name}) for _ in range(3)]
    await letter(log, **{field: uuid4().hex})
    await letter(log, **{field: name}, failed_at=NOW + timedelta(days=1))
    query = {field: name, "to": (NOW + timedelta(hours=1)).isoformat(), "limit": "2"}
    first = (await admin.call("GET", ROOT, params=query)).json["items"]
    rest = (await admin.call("GET", ROOT, params={**query, "before": str(first[-1]["number"])})).json["items"]
    assert [line["number"] for line in (*first, *rest)] == made[::-1]
    assert {line[field] for line in first} == {name}


async def test_a_long_source_is_found_by_its_beginning(admin: User, log: Log) -> None:
    """Events' sources have up to 1,024 characters, of which letters keep 256."""
    source = uuid4().hex * 32
    number = await letter(log, source=source[:256])
    (line,) = (await admin.call("GET", ROOT, params={"source": source})).json["items"]
    assert line["number"] == number


@pytest.mark.parametrize("field", ["event_id", "source", "entity", "topic", "role", "reason"])
async def test_a_search_reads_an_index(log: Log, field: str) -> None:
    """In the order of the answer, so that a page of one among millions is found at once."""
    async with log.connection.transaction():
        await log.connection.execute("SET LOCAL enable_seqscan = off")
        await log.connection.execute("SET LOCAL enable_sort = off")
        query = sql.SQL("EXPLAIN SELECT id FROM dead_letters WHERE {} = 'x' AND id < 9 ORDER BY id DESC LIMIT 50")
        cursor = await log.connection.execute(query.format(sql.Identifier(field)))
        plan = "\n".join(row[0] for row in await cursor.fetchall())
    index = field.removesuffix("_id")
    assert f"idx_dead_letters_{index}" in plan, plan


@pytest.mark.parametrize("number", ["0", "x", "99999999999999999999", "123456789012"])
async def test_a_dead_letter_that_is_not_there_is_404(admin: User, number: str) -> None:
    """Unknown numbers and what is no number."""
    assert (await admin.call("GET", f"{ROOT}/{number}")).status == 404
    assert (await admin.call("POST", f"{ROOT}/{number}/replay")).status == 404


async def test_a_wrong_filter_is_named(admin: User) -> None:
    """A list that ignores a filter would lie."""
    answer = await admin.call("GET", f"{ROOT}?state=lost")
    assert (answer.status, answer.json["errors"][0]["path"]) == (400, "state")


async def test_users_do_not_reach_the_table(api_database: str) -> None:
    """The API's own role may not mark dead letters: only what administrators ask for runs as the workers do."""
    async with await psycopg.AsyncConnection.connect(api_database) as connection:
        await connection.execute("SET LOCAL ROLE authenticated")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("UPDATE dead_letters SET replayed_at = now()")
