"""A change of a template is seen by every process that keeps lists: two of them on one real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from app.actions.configs import validate_config
from app.actions.registry import REGISTRY
from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.template_changes import TemplateChanges
from app.adapters.postgres.templates import PostgresTemplates
from app.adapters.postgres.workflows import PostgresWorkflows
from app.domain.callers import Caller
from app.domain.errors import InvalidError
from app.ports.templates import TemplateFilter
from app.services.operations.background import Failures, keep_running
from app.services.workflows.drafts import DraftReader
from app.services.workflows.lifecycle import WorkflowService
from app.services.workflows.template_lists import TemplateLists
from app.services.workflows.templates import TemplateService
from app.settings import Settings
from tests.admin.conftest import draft
from tests.support.logins import as_role
from tests.support.waiting import eventually

pytestmark = pytest.mark.postgres

ANA = Caller(uuid4(), "user")
_END: str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'headrace templates'"


class Noted(TemplateLists):
    """Lists that also note whether they are kept."""

    kept = False
    begun = 0

    def trust(self) -> None:
        """Note it."""
        super().trust()
        self.kept, self.begun = True, self.begun + 1

    def distrust(self) -> None:
        """Note it."""
        super().distrust()
        self.kept = False


@dataclass
class Process:
    """One API process, as far as templates go."""

    templates: TemplateService
    lists: Noted
    failures: Failures

    async def names(self) -> set[str]:
        """The names that Ana's list has here."""
        page = await self.templates.find(ANA, TemplateFilter(mine=True), None, 200)
        return {one.name for one in page.items}


@asynccontextmanager
async def process(url: str) -> AsyncIterator[Process]:
    """Run a process that listens."""
    login = as_role(url, DatabaseRole.API)
    pool = ApiDatabase(Settings.model_validate({"database_url": login, "pool_size": 2}))
    drafts, lists = DraftReader(REGISTRY.names(), validate_config), Noted(lambda: 0.0)
    workflows = WorkflowService(PostgresWorkflows(pool), drafts)
    service = TemplateService(PostgresTemplates(pool), drafts, workflows, lists)
    changes, failures = TemplateChanges(login, lists), Failures()
    task = asyncio.create_task(keep_running("template changes", changes.run, failures=failures))
    try:
        await eventually(lambda: lists.kept, within=10.0, what="listening")
        yield Process(service, lists, failures)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await pool.close()


async def shows(one: Process, *names: str) -> None:
    """Wait until a process shows just these."""

    async def does() -> bool:
        return await one.names() == set(names)

    await eventually(does, within=10.0, what=f"a list of {names}")


async def renamed(url: str, template_id: UUID, name: str) -> None:
    """Rename a template by SQL alone, as who looks after the database might."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("UPDATE automation_templates SET name = %s WHERE id = %s", (name, template_id))


async def test_every_process_sees_a_change_whoever_makes_it(database: str) -> None:
    """Made, renamed and removed by one process, or by SQL: here at once, there as soon as it is told."""
    async with process(database) as here, process(database) as there:
        assert (await here.names(), await there.names()) == (set(), set())
        made = await here.templates.create(ANA, draft(name="one"))
        assert await here.names() == {"one"}
        await shows(there, "one")
        await there.templates.patch(ANA, made.id, None, {"name": "two"})
        assert await there.names() == {"two"}
        await shows(here, "two")
        await renamed(database, made.id, "three")
        await shows(here, "three")
        await shows(there, "three")
        await there.templates.delete(ANA, made.id, None)
        assert await there.names() == set()
        await shows(here)


async def test_what_is_kept_is_not_read_again(database: str) -> None:
    """The list is there though no row of it can be seen any more without a notification."""
    async with process(database) as before:
        await before.templates.create(ANA, draft(name="kept"))
    async with process(database) as here:  # which will not hear of that again
        assert await here.names() == {"kept"}
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            await connection.execute("ALTER TABLE automation_templates DISABLE TRIGGER ALL")
            await connection.execute("UPDATE automation_templates SET name = 'unheard of'")
            assert await here.names() == {"kept"}
            await connection.execute("ALTER TABLE automation_templates ENABLE TRIGGER ALL")
            await connection.execute("UPDATE automation_templates SET usage_count = 1")
        await shows(here, "unheard of")


async def test_a_process_that_cannot_hear_keeps_nothing(database: str) -> None:
    """Its connection is ended: it lists what is there, and keeps again once it listens; that is no failure."""
    async with process(database) as here:
        made = await here.templates.create(ANA, draft(name="before"))
        assert await here.names() == {"before"}
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            await connection.execute(_END.encode())
            await eventually(lambda: here.lists.begun == 2 or not here.lists.kept, within=10.0, what="the end")
            await connection.execute("UPDATE automation_templates SET name = 'after' WHERE id = %s", (made.id,))
        await shows(here, "after")
        await eventually(lambda: here.lists.kept, within=20.0, what="listening again")
        assert not here.failures.failing()


PLACEHOLDERS: tuple[Any, ...] = ([{"name": 7}], [{"name": "x", "type": "unheard of", "label": "X"}])


@pytest.mark.parametrize("stored", PLACEHOLDERS)
async def test_what_sql_wrote_is_shown_and_said_when_it_is_applied(database: str, stored: Any) -> None:
    """A declaration that is none keeps nobody from listing templates; applying names what is wrong."""
    async with process(database) as here:
        made = await here.templates.create(ANA, draft(name="odd"))
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            await connection.execute("UPDATE automation_templates SET placeholders = %s", (Jsonb(stored),))
        await shows(here, "odd")
        with pytest.raises(InvalidError, match=r"placeholders\[0\]"):
            await here.templates.apply(ANA, made.id, {})
