"""The contract of ``Crm``, on the fake, on Postgres, and over HTTP to our own API, which speaks docs/crm-http.md."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest

from app.domain.causation import Link, read_chain
from app.ports import (
    AppointmentRequest,
    AssignmentRequest,
    Crm,
    CustomerUpdate,
    NoteRequest,
    Origin,
    TagRequest,
    TaskRequest,
)
from schemas.event import Event
from tests.support.crm import TOPICS, crm_over
from tests.support.crm_http import crm_over_http
from tests.support.fake_crm import FakeCrm
from tests.support.postgres import new_database

Rows = list[tuple[Any, ...]]
NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST: Final = Link(UUID(int=1), UUID(int=2))


@dataclass(frozen=True, slots=True)
class World:
    """A CRM and what is in it: rows of each kind, and the events it announced, in order, id and causation last."""

    crm: Crm
    rows: Callable[[str], Awaitable[Rows]]
    announced: Callable[[], Awaitable[list[Any]]]
    put_order: Callable[[dict[str, Any]], Awaitable[None]]

    async def tags(self) -> Rows:
        """Pairs of customer and tag."""
        return await self.rows("tags")

    async def notes(self) -> Rows:
        """Pairs of customer and text."""
        return await self.rows("notes")


def _fake_world() -> World:
    fake = FakeCrm()
    kinds: dict[str, Callable[[], Rows]] = {
        "tags": lambda: sorted(fake.tags),
        "notes": lambda: sorted((note.customer_id, note.text) for note in fake.notes.values()),
        "customers": lambda: sorted(fake.profiles.items()),
        "appointments": lambda: sorted((one.customer_id, one.title) for one in fake.appointments.values()),
        "conversations": lambda: sorted(fake.assignees.items()),
        "tasks": lambda: sorted((one.title, one.due_at) for one in fake.tasks.values()),
    }

    async def rows(kind: str) -> Rows:
        return kinds[kind]()

    async def announced() -> list[Any]:
        return list(fake.announced)

    async def put_order(order: dict[str, Any]) -> None:
        fake.orders_by_id[order["id"]] = order

    return World(fake, rows, announced, put_order)


_QUERIES: Final[dict[str, LiteralString]] = {
    "tags": "SELECT customer_id, tag FROM crm.tags ORDER BY 1, 2",
    "notes": "SELECT customer_id, text FROM crm.notes ORDER BY 1, 2",
    "customers": "SELECT customer_id, profile FROM crm.customers ORDER BY 1",
    "appointments": "SELECT customer_id, title FROM crm.appointments ORDER BY 1, 2",
    "conversations": "SELECT conversation_id, assignee FROM crm.conversations ORDER BY 1",
    "tasks": "SELECT title, due_at FROM crm.tasks ORDER BY 1",
}


_PUT_ORDER: Final = """
    INSERT INTO sales.orders (order_id, customer_id, affiliate_id, status, total, currency, items, created_at, paid_at)
    VALUES (%(id)s, %(customer_id)s, %(affiliate_id)s, %(status)s, %(total)s, %(currency)s, %(items)s, %(created_at)s,
      %(paid_at)s)
"""


def _real_world(connection: psycopg.AsyncConnection, crm: Crm | None = None) -> World:
    async def rows(kind: str) -> Rows:
        return await (await connection.execute(_QUERIES[kind])).fetchall()

    async def announced() -> list[Any]:
        cursor = await connection.execute("SELECT topic, key, value FROM outbox ORDER BY id")
        return [_told(*row) for row in await cursor.fetchall()]

    async def put_order(order: dict[str, Any]) -> None:
        columns = {**order, "items": orjson.dumps(order["items"]).decode()}
        await connection.execute(_PUT_ORDER, columns)

    return World(crm or crm_over(connection), rows, announced, put_order)


def _told(topic: str, key: bytes, value: bytes) -> tuple[Any, ...]:
    """Return an event as the fake notes it, checked against the contract and its topic."""
    event = Event.model_validate(orjson.loads(value))
    assert topic == TOPICS.internal_events
    assert key.decode() == event.subject
    return (event.type, event.subject, event.data, event.id, event.causation)


_EMPTY: Final = """
    TRUNCATE crm.customers, crm.tags, crm.notes, crm.appointments, crm.conversations, crm.tasks, crm.requests,
      sales.orders, outbox
"""


@pytest.fixture(scope="module")
def contract_database(postgres: str, migrated_template: str) -> Iterator[str]:
    """A database that is empty at the beginning of each test."""
    with new_database(postgres, template=migrated_template) as url:
        yield url


@pytest.fixture(params=["fake", "postgres", "http"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Both implementations, one after the other."""
    if request.param == "fake":
        yield _fake_world()
        return
    url = request.getfixturevalue("contract_database")
    if request.param == "postgres":
        async with await psycopg.AsyncConnection.connect(url) as connection:
            yield _real_world(connection)
            await connection.rollback()
        return
    async with (
        await psycopg.AsyncConnection.connect(url, autocommit=True) as connection,
        crm_over_http(url, TOPICS.prefix) as crm,
    ):
        yield _real_world(connection, crm)
        await connection.execute(_EMPTY)


def an_origin(chain: str | None = None) -> Origin:
    """Return the origin of a new command of a new execution."""
    return Origin(uuid4(), Link(uuid4(), uuid4()), chain)


async def test_a_tag_is_applied_once(world: World) -> None:
    """The first application says True, every later one False, and the tag is there once."""
    request = [TagRequest("c-1", "VIP")]
    assert await world.crm.apply_tags(request) == [True]
    assert await world.crm.apply_tags(request) == [False]
    assert await world.tags() == [("c-1", "VIP")]


async def test_duplicates_in_a_batch_come_out_in_order(world: World) -> None:
    """A batch answers as if its requests had been made one after the other."""
    batch = [TagRequest("c-2", "b"), TagRequest("c-1", "a"), TagRequest("c-2", "b"), TagRequest("c-2", "a")]
    assert await world.crm.apply_tags(batch) == [True, True, False, True]
    assert await world.tags() == [("c-1", "a"), ("c-2", "a"), ("c-2", "b")]


async def test_empty_batches_change_nothing(world: World) -> None:
    """Nothing asked, nothing done."""
    assert await world.crm.apply_tags([]) == []
    await world.crm.create_notes([])
    assert (await world.tags(), await world.notes()) == ([], [])


async def test_one_command_writes_one_note(world: World) -> None:
    """A note id that was written is left as it is, within a batch and across batches; other notes are kept apart."""
    first = NoteRequest(UUID(int=1), "c-1", "bought: ✓ 'quoted' \\ \n two lines")
    await world.crm.create_notes([first, first, NoteRequest(uuid4(), "c-1", "second")])
    await world.crm.create_notes([NoteRequest(first.note_id, "c-1", "changed")])
    assert await world.notes() == [("c-1", first.text), ("c-1", "second")]


async def test_a_tag_is_removed_once(world: World) -> None:
    """The first removal of a tag that is there says True, every other False; other tags stay."""
    await world.crm.apply_tags([TagRequest("c-1", "VIP"), TagRequest("c-1", "new"), TagRequest("c-2", "VIP")])
    batch = [TagRequest("c-1", "VIP"), TagRequest("c-1", "VIP"), TagRequest("c-3", "VIP")]
    assert await world.crm.remove_tags(batch) == [True, False, False]
    assert await world.tags() == [("c-1", "new"), ("c-2", "VIP")]


async def test_a_change_of_tags_announces_itself_once(world: World) -> None:
    """The event tells the tag and the whole customer, with the command's execution at the chain's end."""
    await world.crm.update_customers([CustomerUpdate("c-1", {"name": "Ada"})])
    origin = an_origin(str(FIRST))
    request = TagRequest("c-1", "VIP", origin)
    await world.crm.apply_tags([request, replace(request, origin=an_origin())])
    await world.crm.remove_tags([replace(request, origin=an_origin()), replace(request, origin=an_origin())])
    applied, removed = (await world.announced())[1:]
    customer = {"id": "c-1", "name": "Ada", "tags": ["VIP"]}
    assert applied[:3] == ("tag.applied", "c-1", {"tag": "VIP", "customer": customer})
    assert read_chain(applied[4]) == [FIRST, origin.link]
    assert removed[:3] == ("tag.removed", "c-1", {"tag": "VIP", "customer": {**customer, "tags": []}})


async def test_no_event_can_be_named_by_who_knows_the_command(world: World) -> None:
    """Webhooks send the command's and the execution's id along: no event's id is made of them."""
    origin = an_origin(str(FIRST))
    for change in (world.crm.apply_tags, world.crm.remove_tags, world.crm.apply_tags):
        await change([TagRequest("c-1", "VIP", origin)])
    ids = [event_id for *_, event_id, _ in await world.announced()]
    assert len(set(ids)) == len(ids) == 3
    assert not {str(origin.command_id), str(origin.link.execution_id)} & set(ids)


async def test_what_changes_nothing_announces_nothing(world: World) -> None:
    """A tag that is there, a tag that is not, a field that is so already, an assignment that stands: no event."""
    crm = world.crm
    await crm.apply_tags([TagRequest("c-1", "VIP")])
    await crm.update_customers([CustomerUpdate("c-1", {"plan": "gold"})])
    before = await world.announced()
    await crm.apply_tags([TagRequest("c-1", "VIP", an_origin())])
    await crm.remove_tags([TagRequest("c-1", "none", an_origin())])
    assert await crm.update_customers([CustomerUpdate("c-1", {"plan": "gold", "gone": None}, an_origin())]) == [[]]
    assert await world.announced() == before


async def test_updates_of_a_batch_build_on_each_other(world: World) -> None:
    """A batch comes out as if made one after the other: what changed, what was before, null removes, others stay."""
    batch = [
        CustomerUpdate("c-1", {"name": "Ada", "plan": "free"}),
        CustomerUpdate("c-2", {"score": 1.5}),
        CustomerUpdate("c-1", {"plan": "gold"}),
        CustomerUpdate("c-1", {"plan": "gold"}),
        CustomerUpdate("c-1", {"name": None, "address": {"city": "São Paulo"}}),
    ]
    answers = await world.crm.update_customers(batch)
    assert answers == [["name", "plan"], ["score"], ["plan"], [], ["address", "name"]]
    assert await world.rows("customers") == [
        ("c-1", {"plan": "gold", "address": {"city": "São Paulo"}}),
        ("c-2", {"score": 1.5}),
    ]
    told = [data for kind, entity, data, *_ in await world.announced() if entity == "c-1"]
    assert [data["changed"] for data in told] == [["name", "plan"], ["plan"], ["address", "name"]]
    assert [data["previous"] for data in told][1:] == [{"plan": "free"}, {"name": "Ada", "address": None}]
    assert told[1]["customer"] == {"id": "c-1", "name": "Ada", "plan": "gold", "tags": []}


async def test_one_command_makes_one_appointment(world: World) -> None:
    """An appointment that was made is left as it is, and announced once, with its customer."""
    first = AppointmentRequest(uuid4(), "c-1", "Call", NOON, NOON + timedelta(hours=1), "sam@shop.example", an_origin())
    second = replace(first, appointment_id=uuid4(), customer_id="c-2", ends_at=None, assignee=None)
    await world.crm.create_appointments([first, first, second])
    await world.crm.create_appointments([replace(first, title="Changed")])
    assert await world.rows("appointments") == [("c-1", "Call"), ("c-2", "Call")]
    told = await world.announced()
    assert [(one[0], one[1]) for one in told] == [("appointment.created", "c-1"), ("appointment.created", "c-2")]
    assert told[0][2]["appointment"] == {
        "id": str(first.appointment_id),
        "title": "Call",
        "starts_at": NOON.isoformat(),
        "ends_at": (NOON + timedelta(hours=1)).isoformat(),
        "assignee": "sam@shop.example",
        "status": "planned",
    }
    assert told[0][2]["customer"] == {"id": "c-1", "tags": []}


async def test_conversations_are_assigned_in_order(world: World) -> None:
    """The last assignment of a batch stands; one that stood already says so; unknown conversations are made."""
    batch = [
        AssignmentRequest("v-1", "c-1", "sam"),
        AssignmentRequest("v-1", "c-1", "sam"),
        AssignmentRequest("v-2", None, "kim"),
        AssignmentRequest("v-1", "c-1", "kim"),
    ]
    assert await world.crm.assign_conversations(batch) == [True, False, True, True]
    assert await world.crm.assign_conversations(batch[2:]) == [False, False]
    assert await world.rows("conversations") == [("v-1", "kim"), ("v-2", "kim")]


async def test_one_command_makes_one_task(world: World) -> None:
    """A task that was made is left as it is."""
    first = TaskRequest(uuid4(), "c-1", "Call back", "", "sam", NOON)
    await world.crm.create_tasks([first, first, replace(first, task_id=uuid4(), title="Visit", due_at=None)])
    await world.crm.create_tasks([replace(first, title="Changed")])
    assert await world.rows("tasks") == [("Call back", NOON), ("Visit", None)]


async def test_empty_batches_of_the_rest_change_nothing(world: World) -> None:
    """Nothing asked, nothing done, nothing announced."""
    assert await world.crm.remove_tags([]) == []
    assert await world.crm.update_customers([]) == []
    assert await world.crm.assign_conversations([]) == []
    await world.crm.create_appointments([])
    await world.crm.create_tasks([])
    assert await world.announced() == []


def naming_requests() -> dict[str, Callable[[Crm], Awaitable[Any]]]:
    """Every change that names a customer, here one whom the CRM has not met."""
    return {
        "a tag": lambda crm: crm.apply_tags([TagRequest("new", "VIP")]),
        "a note": lambda crm: crm.create_notes([NoteRequest(uuid4(), "new", "hello")]),
        "an update": lambda crm: crm.update_customers([CustomerUpdate("new", {})]),
        "an appointment": lambda crm: crm.create_appointments(
            [AppointmentRequest(uuid4(), "new", "Call", NOON, None, None)]
        ),
        "a conversation": lambda crm: crm.assign_conversations([AssignmentRequest("v-1", "new", "sam")]),
        "a task": lambda crm: crm.create_tasks([TaskRequest(uuid4(), "new", "Call", "", None, None)]),
    }


@pytest.mark.parametrize("by", naming_requests())
async def test_a_customer_known_by_anything_exists(world: World, by: str) -> None:
    """Whoever a change names can be looked up and is on the pages, and no event says that they are new."""
    assert await world.crm.customers(["new"]) == {}
    await naming_requests()[by](world.crm)
    customer = {"id": "new", "tags": ["VIP"] if by == "a tag" else []}
    assert await world.crm.customers(["new"]) == {"new": customer}
    assert await world.crm.customers_after("", 10) == [customer]
    assert "customer.created" not in [kind for kind, *_ in await world.announced()]


async def test_nobody_is_made_by_being_looked_up_or_by_a_tag_taken_off(world: World) -> None:
    """Reading is no change, and a tag that was not there leaves nothing behind."""
    await world.crm.remove_tags([TagRequest("new", "VIP")])
    assert await world.crm.customers(["new", "new"]) == {}
    assert await world.crm.customers([]) == {}
    assert await world.crm.customers_after("", 10) == []


async def test_customers_are_read_as_events_show_them(world: World) -> None:
    """The profile's fields, id and tags; who is not known is left out."""
    await world.crm.update_customers([CustomerUpdate("c-1", {"name": "Ada", "address": {"city": "São Paulo"}})])
    await world.crm.apply_tags([TagRequest("c-1", "b"), TagRequest("c-1", "B"), TagRequest("c-1", "a")])
    expected = {"id": "c-1", "name": "Ada", "address": {"city": "São Paulo"}, "tags": ["B", "a", "b"]}
    assert await world.crm.customers(["c-2", "c-1"]) == {"c-1": expected}


async def test_pages_of_customers_hold_each_of_them_once(world: World) -> None:
    """By id in the order of its bytes, whatever the database's language, from after a given one."""
    ids = ["a", "B", "ä", "a-1", "Z", "10", "9"]
    await world.crm.apply_tags([TagRequest(one, "x") for one in ids])
    pages, after = [], ""
    while page := await world.crm.customers_after(after, 3):
        pages.append([customer["id"] for customer in page])
        after = page[-1]["id"]
    assert pages == [["10", "9", "B"], ["Z", "a", "a-1"], ["ä"]]


async def test_orders_are_read_by_id(world: World) -> None:
    """With exact totals, items and times; what is not known is left out."""
    order = {
        "id": "o-1",
        "customer_id": "c-1",
        "affiliate_id": None,
        "status": "paid",
        "total": "199.90",
        "currency": "EUR",
        "items": [{"sku": "a", "price": "199.90", "quantity": 1}],
        "created_at": NOON.isoformat(),
        "paid_at": (NOON + timedelta(hours=1)).isoformat(),
        "cancelled_at": None,
        "delivered_at": None,
    }
    await world.put_order(order)
    assert await world.crm.orders(["o-1", "o-2"]) == {"o-1": order}
    assert await world.crm.orders([]) == {}


async def test_a_number_of_any_size_does_not_stop_later_events(world: World) -> None:
    """1e20 is stored as a whole number over 64 bits; the next change still announces itself, with the number in it."""
    await world.crm.update_customers([CustomerUpdate("c-1", {"points": 1e20, "least": -1e20})])
    await world.crm.apply_tags([TagRequest("c-1", "VIP")])
    assert await world.crm.update_customers([CustomerUpdate("c-1", {"points": 1e20})]) == [[]]
    applied = (await world.announced())[-1]
    assert applied[2]["customer"] == {"id": "c-1", "points": 1e20, "least": -1e20, "tags": ["VIP"]}
