"""What a user may not have a workflow do is refused on save where it is known then, and in a dry run always."""

from typing import Any
from uuid import uuid4

import pytest

from app.admin.auth import mint_token
from app.domain.callers import Permission
from tests.admin.conftest import Answer, Api, User, draft

ROOT = "/api/v1/workflows"
AUDIENCE = {"audience": [{"field": "customer.tags", "operator": "contains", "value": "vip"}]}
DAILY = {"type": "temporal.daily", "config": {"at": "09:00", "timezone": "UTC", **AUDIENCE}}


def acting(kind: str, **config: Any) -> dict[str, Any]:
    """Return changes of a draft: its one action."""
    return {"actions": [{"type": kind, "order": 1, "config": config, "conditions": []}]}


OTHERS: dict[str, tuple[dict[str, Any], str, Permission]] = {
    "an audience": ({"trigger": DAILY, "conditions": []}, "trigger.config.audience", "crm:read"),
    "a customer": (acting("apply_tag", tag="x", customer_id="c-7"), "actions[0].config.customer_id", "crm:write"),
    "a conversation": (
        acting("assign_conversation", assignee="me", conversation_id="v-7"),
        "actions[0].config.conversation_id",
        "crm:write",
    ),
    "an inbox": (
        acting("send_notification", user=str(uuid4()), title="x", body="y"),
        "actions[0].config.user",
        "messages:any",
    ),
}


@pytest.mark.parametrize("what", OTHERS)
async def test_what_needs_a_permission_is_refused_on_save(strict_api: Api, what: str) -> None:
    """Made, replaced, patched or applied: 403 with the field and the permission; with it, it is saved."""
    changes, path, permission = OTHERS[what]
    may = strict_api.user("user", permission)
    user = User(strict_api.client, mint_token(strict_api.settings, may.id, "user", 600), may.id)
    one = f"{ROOT}/{(await user.create())['id']}"
    template = (await user.call("POST", "/api/v1/templates", draft(**changes))).json["id"]
    ways: tuple[tuple[str, str, Any], ...] = (
        ("POST", ROOT, draft(**changes)),
        ("PUT", one, draft(**changes)),
        ("PATCH", one, changes),
        ("POST", f"/api/v1/templates/{template}/apply", {}),
    )
    for method, where, body in ways:
        refused = await user.call(method, where, body, headers={"If-Match": "*"})
        assert (refused.status, [error["path"] for error in refused.json["errors"]]) == (403, [path]), refused
        assert permission in refused.json["errors"][0]["message"]
        assert (await may.call(method, where, body, headers={"If-Match": "*"})).status in {200, 201}, method


async def test_what_is_known_only_later_is_saved(strict_api: Api) -> None:
    """The event's own customer, what a template names, and the owner's own inbox need nothing on save."""
    user = strict_api.user()
    for changes in (
        acting("apply_tag", tag="x"),
        acting("apply_tag", tag="x", customer_id="{{ order.customer_id }}"),
        acting("send_notification", user=str(user.id), title="x", body="y"),
        acting("send_notification", user=str(user.id).upper(), title="x", body="y"),
    ):
        assert (await user.call("POST", ROOT, draft(**changes))).status == 201, changes


async def tried(user: User, changes: dict[str, Any], **more: Any) -> Answer:
    """Try a draft on an event about c-1, whatever source it says it has."""
    event = {"source": "/shop", "subject": "c-1", "data": {"customer": {"id": "c-1"}, "order": {"total": 999}}}
    return await user.call("POST", f"{ROOT}/test", {"workflow": draft(**changes), "event": event, **more})


async def test_a_dry_run_looks_at_customers_for_who_may_read_them(strict_api: Api) -> None:
    """Its event is made up, so nobody is its own; what the caller gives as current is theirs to see."""
    looking = acting("apply_tag", tag="{{ current.customer.name }}")
    admin = strict_api.user("admin")
    await admin.call("POST", "/api/v1/crm/customers", {"id": "c-1", "name": "Secret Name"})
    user = strict_api.user()
    step = (await tried(user, looking)).json["steps"][0]
    assert "lacks the permission crm:read" in step["error"]
    assert "Secret" not in str((await tried(user, looking)).json)
    given = (await tried(user, looking, current={"customer": {"name": "Given"}})).json["steps"][0]
    assert given["status"] == "success"
    read = (await tried(strict_api.user("user", "crm:read"), looking)).json["steps"][0]
    assert "crm:read" not in str(read["error"])


async def test_a_dry_run_says_what_its_caller_lacks(strict_api: Api) -> None:
    """A step that changes another customer, or writes to another's inbox, fails there as it would in earnest."""
    user, other = strict_api.user(), str(uuid4())
    for changes, permission in (
        (acting("apply_tag", tag="x", customer_id="{{ 'c-2' }}"), "crm:write"),
        (acting("send_notification", user="{{ '" + other + "' }}", title="x", body="y"), "messages:any"),
    ):
        assert permission in (await tried(user, changes)).json["steps"][0]["error"]
        may = strict_api.user("admin")
        assert (await tried(may, changes)).json["steps"][0]["status"] == "success"
    own = acting("send_notification", user="{{ '" + str(user.id) + "' }}", title="x", body="y")
    for changes in (own, acting("apply_tag", tag="x")):
        assert (await tried(user, changes)).json["steps"][0]["status"] == "success"
