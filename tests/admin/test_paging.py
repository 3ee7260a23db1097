"""Pages of workflows: filters hold, and rows that arrive meanwhile neither repeat nor hide the rest."""

import base64
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from yarl import URL

from app.admin.cursors import mark_of
from app.admin.execution_models import ExecutionQuery
from app.admin.models import WorkflowQuery
from app.domain.errors import InvalidError
from app.domain.paging import Position, read_cursor
from tests.admin.conftest import Api, User
from tests.admin.log import Log

ROOT = "/api/v1/workflows"


async def page(user: User, **query: Any) -> tuple[list[str], str | None]:
    """One page: names, and the next cursor."""
    answer = await user.call("GET", ROOT, params={key: str(value) for key, value in query.items()})
    assert answer.status == 200, answer.json
    return [workflow["name"] for workflow in answer.json["items"]], answer.json["next_cursor"]


async def test_pages_hold_every_row_once_while_rows_arrive(api: Api, user: User) -> None:
    """Rows that were there when the first page was read come exactly once, newest first, whatever is added."""
    for number in range(7):
        await user.create(name=f"old {number}")
    names, cursor = await page(user, limit=2)
    while cursor is not None:
        await user.create(name="meanwhile")
        await api.user().create(name="another's")
        more, cursor = await page(user, limit=2, cursor=cursor)
        names += more
    assert names == [f"old {number}" for number in reversed(range(7))]


async def test_deleted_rows_leave_no_hole(user: User) -> None:
    """A row that a cursor stands on may be deleted: the next page goes on after its place."""
    made = [await user.create(name=str(number)) for number in range(4)]
    _, cursor = await page(user, limit=2)
    await user.call("DELETE", f"{ROOT}/{made[2]['id']}")
    assert await page(user, limit=2, cursor=cursor) == (["1", "0"], None)


async def test_a_full_last_page_has_no_next(user: User) -> None:
    """Exactly as many rows as the limit: there is no next page."""
    for number in range(2):
        await user.create(name=str(number))
    assert await page(user, limit=2) == (["1", "0"], None)


async def test_filters_are_all_applied(user: User) -> None:
    """active, trigger_type and search each hold, alone and together."""
    paid = await user.create(name="VIP paid", description="for 100% of them")
    await user.create(name="created", description="a vip too", trigger={"type": "order.created"})
    await user.create(name="plain")
    await user.call("POST", f"{ROOT}/{paid['id']}/activate")
    assert await page(user, active="true") == (["VIP paid"], None)
    assert await page(user, active="false") == (["plain", "created"], None)
    assert await page(user, trigger_type="order.created") == (["created"], None)
    assert await page(user, search="vip") == (["created", "VIP paid"], None)
    assert await page(user, search="100%") == (["VIP paid"], None)
    assert await page(user, search="_IP") == ([], None)
    assert await page(user, search="vip", active="true", trigger_type="order.paid") == (["VIP paid"], None)
    assert await page(user, search="vip", active="true", trigger_type="order.created") == ([], None)


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("active=maybe", "active"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("search=", "search"),
        ("order=name", "order"),
        ("limit=1&limit=2", "limit"),
    ],
)
async def test_a_wrong_query_is_named(user: User, query: str, path: str) -> None:
    """What the list does not understand is refused rather than ignored."""
    answer = await user.call("GET", f"{ROOT}?{query}")
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, [path])


@pytest.mark.parametrize("search", ["a%00b", "%ff", "%ed%a0%80"])
async def test_text_that_is_none_never_breaks_a_query(user: User, search: str) -> None:
    """A NUL, or bytes that are not UTF-8: refused or not found, but no error of ours."""
    async with user.client.get(
        URL(f"{ROOT}?search={search}", encoded=True), headers={"Authorization": f"Bearer {user.token}"}
    ) as response:
        assert response.status in {200, 400}
        assert response.status == 400 or search != "a%00b"


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("0001-01-01T00:00:00+14:00", 400),
        ("9999-12-31T23:59:59-14:00", 400),
        ("9999-12-31T23:59:59.999999+00:00", 400),
        ("0001-01-02T00:00:00+00:00", 200),
        ("9999-12-30T23:59:59+00:00", 200),
        ("2026-03-01T00:00Z", 200),
    ],
)
async def test_a_time_at_the_edge_of_the_calendar_breaks_nothing(user: User, moment: str, status: int) -> None:
    """A cursor that was made by hand may name any time: a page, or a 400 where no row can have it."""
    position = base64.urlsafe_b64encode(f"{moment}|{UUID(int=1)}".encode()).decode()
    queries: list[tuple[str, WorkflowQuery | ExecutionQuery]] = [(ROOT, WorkflowQuery())]
    for sort, words in product(("executed_at", "-executed_at"), (None, "x")):
        queries.append(("/api/v1/executions", ExecutionQuery(sort=sort, search=words)))
    for path, query in queries:
        params = query.model_dump(include={"sort", "search"}, exclude_none=True, by_alias=True)
        answer = await user.call("GET", path, params={**params, "cursor": mark_of(path, query) + position})
        assert answer.status == status, (path, params, answer)


def test_a_cursor_is_read_as_it_was_written() -> None:
    """Microseconds and id survive."""
    position = Position(datetime(2026, 3, 1, 9, 30, 0, 123456, UTC), uuid4())
    assert read_cursor(position.cursor()) == position


@pytest.mark.parametrize("text", ["", "|", "2026-03-01|x", f"2026-03-01T00:00:00|{UUID(int=1)}", "\xff"])
def test_a_forged_cursor_is_refused(text: str) -> None:
    """Whatever is not a time with an offset and an id is no cursor."""
    with pytest.raises(InvalidError):
        read_cursor(base64.urlsafe_b64encode(text.encode("latin-1")).decode())


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["Alpha", "beta", "Gamma"]),
        ("-name", ["Gamma", "beta", "Alpha"]),
        ("created_at", ["beta", "Gamma", "Alpha"]),
        ("-updated_at", ["beta", "Alpha", "Gamma"]),
        ("-last_run_at", ["Gamma", "Alpha", "beta"]),
        ("last_run_at", ["beta", "Alpha", "Gamma"]),
    ],
)
async def test_workflows_are_listed_in_any_order(user: User, log: Log, sort: str, names: list[str]) -> None:
    """By name in upper or lower case, by change, by last run with those that never ran as the oldest; in pages too."""
    made = {name: await user.create(name=name) for name in ("beta", "Gamma", "Alpha")}
    await user.call("PATCH", f"{ROOT}/{made['beta']['id']}", {"priority": 1}, headers={"If-Match": "*"})
    ran = "INSERT INTO automation_last_runs VALUES (%s, now() - make_interval(hours => %s))"
    for name, hours in (("Gamma", 1), ("Alpha", 2)):
        await log.connection.execute(ran, (made[name]["id"], hours))
    found, cursor = await page(user, sort=sort, limit=1)
    while cursor is not None:
        more, cursor = await page(user, sort=sort, limit=1, cursor=cursor)
        found += more
    assert found == names


async def test_a_cursor_of_another_order_is_none(user: User) -> None:
    """And an order that there is not is refused, with the name of the parameter."""
    for number in range(2):
        await user.create(name=str(number))
    _, cursor = await page(user, limit=1)
    for query in (f"sort=name&cursor={cursor}", "sort=size"):
        answer = await user.call("GET", f"{ROOT}?{query}")
        assert (answer.status, len(answer.json["errors"])) == (400, 1), query


async def test_deleted_workflows_are_listed_apart(user: User, admin: User) -> None:
    """For who is to restore one; an administrator's list is narrowed to one owner."""
    gone, there = await user.create(name="gone"), await user.create(name="there")
    await user.call("DELETE", f"{ROOT}/{gone['id']}")
    assert await page(user, deleted="true") == (["gone"], None)
    assert await page(admin, owner=str(user.id)) == (["there"], None)
    await user.call("PUT", f"{ROOT}/{there['id']}/draft", {}, headers={"If-Match": '"0"'})
    assert await page(user, draft="true") == (["there"], None)
    assert await page(user, draft="false") == ([], None)
