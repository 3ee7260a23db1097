"""The specification's integration example and test scenarios, on the real stack; each test names its section.

Error handling, retries and loops on such a stack are in ``test_pipeline.py`` and ``test_operating.py``.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.integration.site import Row, Site, event
from tests.support.waiting import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

CRM, SALES, AFFILIATES = "/api/v1/crm", "/api/v1/sales", "/api/v1/affiliates"


async def ask(site: Site, path: str, body: Any = None, method: str = "POST") -> Any:
    """Call the API; returns what it answers."""
    answered, _ = await site.stack.api.call(method, path, body)
    return answered


async def logged(site: Site, workflow: UUID, count: int = 1) -> list[Row]:
    """Wait until the log has so many executions of a workflow, and return them as the API shows them."""

    async def enough() -> list[Row]:
        page = await ask(site, f"/api/v1/executions?workflow_id={workflow}&limit=200", method="GET")
        found: list[Row] = page["items"]
        return found if len(found) >= count else []

    return await eventually(enough, within=30.0, what=f"{count} executions of {workflow}")


async def ended(site: Site, row: Row) -> dict[str, Any]:
    """Return all that the log has of an execution."""
    whole: dict[str, Any] = await ask(site, f"/api/v1/executions/{row['id']}", method="GET")
    return whole


async def test_should_execute_complete_workflow_when_customer_is_created(site: Site) -> None:
    """Integration Testing, Example Integration Test: a welcome by e-mail and a tag, from the CRM's own event."""
    await ask(
        site,
        "/api/v1/message-templates",
        {"name": "welcome", "kind": "email", "subject": "Welcome, {{ customer.name }}", "text": "Good to see you."},
    )
    workflow, _ = await site.workflow(
        {"type": "send_email", "config": {"template": "welcome"}},
        {"type": "apply_tag", "config": {"tag": "New Customer"}},
        name="Welcome New Customer",
        trigger={"type": "customer.created", "config": {}},
        conditions=[],
    )
    address = f"{uuid4().hex[:10]}@example.com"
    customer = await ask(site, f"{CRM}/customers", {"name": "Test Customer", "email": address})
    (row,) = await logged(site, workflow)
    whole = await ended(site, row)
    assert row["status"] == "success"
    assert [one["action_type"] for one in whole["results"]] == ["send_email", "apply_tag"]
    assert [one["status"] for one in whole["results"]] == ["success", "success"]
    (mail,) = [one for one in site.mailbox.mails if one.recipients == (address,)]
    assert mail.subject == "Welcome, Test Customer"
    known = await ask(site, f"{CRM}/customers/{customer['id']}", method="GET")
    assert known["tags"] == ["New Customer"]


async def test_integration_with_crm_sales_and_affiliates_systems(site: Site) -> None:
    """Integration Testing, Test Scenarios: a paid order and a commission set workflows off, which act on the CRM."""
    partner, order = f"p-{uuid4().hex[:10]}", f"o-{uuid4().hex[:10]}"
    mine = [{"field": "order.id", "operator": "==", "value": order}]
    note = {"type": "create_note", "config": {"text": "{{ event.type }} {{ order.total }}"}}
    paid, _ = await site.workflow(note, trigger={"type": "order.paid"}, conditions=mine, settle=False)
    text = {"text": "{{ commission.amount }} {{ commission.currency }}"}
    earned, _ = await site.workflow(
        {"type": "create_note", "config": text}, trigger={"type": "commission.calculated"}, conditions=mine
    )
    await ask(site, f"{AFFILIATES}/partners/{partner}", {"rate": "10"}, method="PUT")
    await ask(
        site,
        f"{SALES}/orders",
        {
            "id": order,
            "customer_id": f"c-{order}",
            "affiliate_id": partner,
            "items": [{"sku": "tea", "price": "12.50"}],
        },
    )
    await ask(site, f"{SALES}/orders/{order}/pay")
    await ask(site, f"{AFFILIATES}/commissions", {"order_id": order})
    for workflow in (paid, earned):
        (row,) = await logged(site, workflow)
        assert row["status"] == "success"
    notes = await site.fetch("SELECT text FROM crm.notes WHERE customer_id = ANY(%s)", [partner, f"c-{order}"])
    assert Counter(one["text"] for one in notes) == Counter(["order.paid 12.50", "1.25 EUR"])


async def test_queue_processing_with_multiple_concurrent_workflows(site: Site) -> None:
    """Integration Testing, Test Scenarios: four workflows of one trigger in both lanes, 60 events at once."""
    tagged = [{"type": "apply_tag", "config": {"tag": f"w{number}"}} for number in range(4)]
    made, kind = await site.workflow(tagged[0], priority=1, settle=False)
    workflows = [made]
    for step in tagged[1:]:
        workflow, _ = await site.workflow(step, trigger={"type": kind}, settle=False)
        workflows.append(workflow)
    await site.stack.settled()
    events = [event(kind) for _ in range(60)]
    await site.stack.emitter.emit_many(events)
    for workflow in workflows:
        rows = await logged(site, workflow, len(events))
        assert Counter(row["event_id"] for row in rows) == Counter(sent["id"] for sent in events)
        assert {row["status"] for row in rows} == {"success"}
    customers = [sent["subject"] for sent in events]
    tags = await site.fetch("SELECT tag, count(*) FROM crm.tags WHERE customer_id = ANY(%s) GROUP BY tag", customers)
    assert {one["tag"]: one["count"] for one in tags} == dict.fromkeys(["w0", "w1", "w2", "w3"], len(events))


async def test_temporal_trigger_scheduling_and_execution(site: Site) -> None:
    """Integration Testing, Test Scenarios: activated, it is scheduled; when that time has come, it runs once."""
    note = {"type": "create_note", "config": {"text": "{{ event.type }}", "customer_id": f"t-{uuid4().hex[:10]}"}}
    config = {"at": f"{datetime.now(UTC) + timedelta(hours=12):%H:%M}", "timezone": "UTC"}
    workflow, _ = await site.workflow(note, trigger={"type": "temporal.daily", "config": config})
    planned = partial(site.fetch, "SELECT due FROM temporal_schedules WHERE workflow_id = %s", workflow)
    (before,) = await eventually(planned, within=15.0, what="a due time")
    # Its time has come: as if the schedulers had been down since then.
    await site.fetch("UPDATE temporal_schedules SET due = now() WHERE workflow_id = %s RETURNING 1", workflow)
    (row,) = await logged(site, workflow)
    assert (row["status"], row["event_type"]) == ("success", "temporal.daily")
    (after,) = await planned()
    assert after["due"] == before["due"]
