"""A command on the user's CRM, repeated after a crash: the CRM, here our own API, tells it by its key."""

from typing import Final

import psycopg
import pytest

from app.actions.apply_tag import ApplyTag
from app.actions.base import ActionContext
from app.actions.over_http import over_http
from app.adapters.http.client import open_http_client
from app.adapters.http.crm import HttpCrm
from app.execution.routing import claim_of
from app.ports import TagRequest
from tests.execution.test_leased import World
from tests.support.crm_http import served_crm
from tests.support.deadlines import scaled
from tests.support.receipts import ReceiptStore
from tests.support.slips import action, command

pytestmark = pytest.mark.postgres

_EVENTS: Final = "SELECT convert_from(value, 'UTF8')::jsonb ->> 'type' FROM outbox"


async def test_a_command_repeated_after_a_crash_has_one_effect_and_its_first_answer(database: str) -> None:
    """Killed between the CRM's answer and the receipt: asked again, the tag was new, is there once, announced once."""
    async with served_crm(database, "theirs.") as server, open_http_client(allow_private=True) as client:

        def crm_of(context: ActionContext) -> HttpCrm:
            key, chain = str(context.effect_id), context.origin.causation
            return HttpCrm(client, server, key=lambda: key, causation=chain, within=context.within)

        store, one = ReceiptStore(), command(action(tag="VIP"))
        crashed = World(store, kind=over_http(ApplyTag(), crm_of, destination="theirs"))
        await crashed.receipts.start()
        await crashed.receipts.claim([claim_of(one)])
        asked = HttpCrm(client, server, key=lambda: str(one.id), causation=None, within=scaled(5))
        assert await asked.apply_tags([TagRequest("c1", "VIP")]) == [True]

        restarted = World(store, kind=over_http(ApplyTag(), crm_of, destination="theirs"))
        assert await restarted.run(one)
    result = restarted.ended[0].results[0]
    assert (result.status, result.uncertain, result.output) == ("success", True, {"tag": "VIP", "applied": True})
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT customer_id, tag FROM crm.tags").fetchall() == [("c1", "VIP")]
        assert connection.execute(_EVENTS).fetchall() == [("tag.applied",)]
