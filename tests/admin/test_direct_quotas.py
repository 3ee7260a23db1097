"""What SQL in a user's name has filled: the API answers the database's refusal as its own, and goes on serving."""

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.workflow_quotas import tell_quotas
from app.domain.quotas import WorkflowQuotas
from app.settings import Settings
from tests.admin.conftest import Api, User, draft, serving
from tests.integration.postgres.users import become

WORKFLOWS: Final = "/api/v1/workflows"
TEMPLATES: Final = "/api/v1/templates"
MESSAGES: Final = "/api/v1/message-templates"
FILL: Final = {
    WORKFLOWS: "INSERT INTO automations (name, trigger_type, created_by) SELECT 'n', 'order.paid', %s"
    " FROM generate_series(2, 200)",
    TEMPLATES: "INSERT INTO automation_templates (name, trigger_type, created_by) SELECT 'n', 'order.paid', %s"
    " FROM generate_series(2, 1000)",
    MESSAGES: "INSERT INTO message_templates (id, name, kind, created_by) SELECT gen_random_uuid(), 'n' || n, 'sms', %s"
    " FROM generate_series(2, 1000) n",
}
DRAFTS: Final[dict[str, Any]] = {
    WORKFLOWS: draft(),
    TEMPLATES: draft(),
    MESSAGES: {"name": "first", "kind": "sms", "text": "t"},
}
SAID: Final = {
    WORKFLOWS: "201 workflows of this user, and 200 are allowed",
    TEMPLATES: "1001 templates of this user, and 1000 are allowed",
    MESSAGES: "1001 message templates of this user, and 1000 are allowed",
}


def by_sql(url: str, user: UUID, statement: str) -> None:
    """Run a statement as a user with SQL access."""
    with psycopg.connect(url) as connection:
        become(connection, user)
        connection.execute(statement.encode(), (user,))


@pytest.fixture
async def unlimited(settings: Settings) -> AsyncIterator[Api]:
    """An API whose own check lets everything through."""
    free = settings.model_copy(update={"workflows_per_user": 0, "active_per_trigger": 0})
    async with serving(free) as api:
        yield api


@pytest.mark.parametrize("root", FILL)
async def test_what_the_database_refuses_is_a_409(unlimited: Api, api_database: str, root: str) -> None:
    """With both numbers, and nothing is stored; others have room."""
    user = unlimited.user()
    assert (await user.call("POST", root, DRAFTS[root])).status == 201
    by_sql(api_database, user.id, FILL[root])
    another = DRAFTS[root] | {"name": "another"}
    answer = await user.call("POST", root, another)
    assert (answer.status, SAID[root] in answer.json["detail"]) == (409, True), answer.json
    assert (await unlimited.user().call("POST", root, another)).status == 201


async def test_a_count_of_uses_at_its_end_stays_there(user: User, api_database: str) -> None:
    """The template is applied all the same."""
    template = (await user.call("POST", TEMPLATES, draft())).json
    with psycopg.connect(api_database) as connection:
        connection.execute("UPDATE automation_templates SET usage_count = 2147483647 WHERE id = %s", (template["id"],))
    assert (await user.call("POST", f"{TEMPLATES}/{template['id']}/apply", {})).status == 201
    shown = (await user.call("GET", f"{TEMPLATES}/{template['id']}")).json
    assert shown == {**template, "usage_count": 2147483647}


async def test_the_api_stores_its_limits(settings: Settings, api_database: str) -> None:
    """As the API's own role; the database then counts against them."""
    pool = ApiDatabase(settings)
    stored: list[Any] = []
    for quotas in (WorkflowQuotas(0, 7), WorkflowQuotas(200, 50)):
        await tell_quotas(pool, quotas)
        with psycopg.connect(api_database) as connection:
            stored += connection.execute("SELECT workflows, active FROM workflow_quotas").fetchall()
    await pool.close()
    assert stored == [(0, 7), (200, 50)]
