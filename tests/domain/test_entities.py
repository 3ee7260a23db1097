"""Whom an event is about is one rule, wherever it is asked."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from app.actions.steps import resolve
from app.ports import CustomerUpdate
from app.services.delivery.letter_subjects import about
from app.services.ingest.emitter import event_key, valid_event
from schemas.incoming import decode_event
from tests.support.current import current_over
from tests.support.fake_crm import FakeCrm
from tests.support.fake_rights import FixedRights
from tests.support.records import FakeRecord
from tests.support.slips import action, command

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/shop",
    "type": "order.created",
    "time": "2026-01-01T00:00:00Z",
}


def _with(**attributes: Any) -> dict[str, Any]:
    return {**EVENT, "data": {}, **attributes}


@pytest.mark.parametrize(
    ("attributes", "entity"),
    [
        ({"partitionkey": "p", "subject": "s", "data": {"customer": {"id": "c"}}}, "p"),
        ({"subject": "s", "data": {"customer": {"id": "c"}}}, "s"),
        ({"data": {"customer": {"id": "c"}}}, "c"),
        ({"data": {"customer": {"id": 17}}}, "17"),
        ({"data": {"customer": {"id": 0}}}, "0"),
        ({"data": {"customer": {"id": True}}}, "e-1"),
        ({"data": {"customer": {"id": False}}}, "e-1"),
        ({"data": {"customer": {"id": ""}}}, "e-1"),
        ({"data": {"customer": {"id": 1.5}}}, "e-1"),
        ({"data": {"customer": {"id": None}}}, "e-1"),
        ({"data": {"customer": {"id": ["c"]}}}, "e-1"),
        ({"data": {"customer": "c"}}, "e-1"),
        ({"data": {}}, "e-1"),
    ],
)
def test_an_event_has_one_entity_wherever_it_is_asked(attributes: dict[str, Any], entity: str) -> None:
    """The emitter's key, what the matcher reads off a record without a key, and what a dead letter says agree.

    ``true`` is no id, although Python counts it among the whole numbers. A dead letter names no entity where the event
    names none: the event's id is there beside it.
    """
    event = _with(**attributes)
    record = FakeRecord(orjson.dumps(event), key=None)
    assert event_key(valid_event(event)) == entity
    assert decode_event(record).entity == entity
    assert about(record).entity == (entity if entity != "e-1" else None)


@pytest.mark.parametrize(("customer_id", "looked_up"), [("c-2", "c-2"), (17, "17"), (True, "c-1"), ("", "c-1")])
async def test_the_current_customer_is_the_one_of_the_same_rule(customer_id: Any, looked_up: str) -> None:
    """Where the event's data names no customer, the current one is the entity of the record."""
    crm = FakeCrm()
    await crm.update_customers([CustomerUpdate(one, {"name": one}) for one in ("c-1", "c-2", "17", "True")])
    noting = action("create_note", text="{{ current.customer.name }}")
    step = resolve(
        command(noting, event=_with(data={"customer": {"id": customer_id}})).model_copy(update={"entity": "c-1"})
    )
    (found,) = await current_over(crm).of([step], FixedRights())
    assert isinstance(found, Mapping)
    assert found["customer"]["name"] == looked_up
