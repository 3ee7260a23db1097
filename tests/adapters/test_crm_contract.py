"""The contract of ``Crm``, on the fake and on Postgres."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from app.adapters.postgres.crm import PostgresCrm
from app.ports import Crm, NoteRequest, TagRequest
from tests.support.fake_crm import FakeCrm

Rows = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class World:
    """A CRM and what is in it: pairs of customer and tag, of customer and text."""

    crm: Crm
    tags: Callable[[], Awaitable[Rows]]
    notes: Callable[[], Awaitable[Rows]]


def _fake_world() -> World:
    fake = FakeCrm()

    async def tags() -> Rows:
        return sorted(fake.tags)

    async def notes() -> Rows:
        return sorted((note.customer_id, note.text) for note in fake.notes.values())

    return World(fake, tags, notes)


def _real_world(connection: psycopg.AsyncConnection) -> World:
    async def rows(query: LiteralString) -> Rows:
        cursor = await connection.execute(query)
        return [(row[0], row[1]) for row in await cursor.fetchall()]

    return World(
        PostgresCrm(connection),
        lambda: rows("SELECT customer_id, tag FROM crm.tags ORDER BY 1, 2"),
        lambda: rows("SELECT customer_id, text FROM crm.notes ORDER BY 1, 2"),
    )


@pytest.fixture(params=["fake", "postgres"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Both implementations, one after the other."""
    if request.param == "fake":
        yield _fake_world()
        return
    url = request.getfixturevalue("database")
    async with await psycopg.AsyncConnection.connect(url) as connection:
        yield _real_world(connection)


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
