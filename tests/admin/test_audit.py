"""The audit trail over the API: what each call changed is on it, and it is found by who, what, which and when."""

from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest

from app.adapters.postgres.schema import AUDIT_TRAIL
from tests.admin.conftest import Api, User, draft
from tests.admin.log import Log
from tests.admin.test_dead_letters import letter

ROOT: Final = "/api/v1/audit"


async def trail(admin: User, **query: str) -> list[Any]:
    """All lines that fulfil a query, page by page."""
    found: list[Any] = []
    params = {"limit": "2", **query}
    while True:
        page = await admin.call("GET", ROOT, params=params)
        assert page.status == 200, page
        found += page.json["items"]
        if page.json["next_cursor"] is None:
            return found
        params["cursor"] = page.json["next_cursor"]


async def test_what_a_user_does_is_on_the_trail(api: Api, user: User) -> None:
    """Made, changed, switched on and off, deleted: each with who, and the newest first over pages."""
    admin = api.user("admin")
    workflow = await user.create(name="Before")
    path = f"/api/v1/workflows/{workflow['id']}"
    any_version = {"If-Match": "*"}
    await user.call("PUT", path, draft(name="After"), headers=any_version)
    for step in ("activate", "deactivate"):
        await user.call("POST", f"{path}/{step}", headers=any_version)
    await user.call("DELETE", path, headers=any_version)
    lines = await trail(admin, who=str(user.id), kind="workflow")
    assert [line["action"] for line in lines] == ["deleted", "deactivated", "activated", "changed", "created"]
    assert {(line["actor"], line["actor_kind"], line["object_id"]) for line in lines} == {
        (str(user.id), "user", workflow["id"])
    }
    assert lines[3]["changes"] == {"name": {"old": "Before", "new": "After", "withheld": None}}
    assert lines[4]["changes"]["actions"] == {"old": None, "new": None, "withheld": "secret"}


async def test_what_administrators_set_up_is_on_the_trail(admin: User) -> None:
    """Secrets, keys, channels: that they were made, changed, revoked; never a value, a digest or a URL."""
    name = f"S{uuid4().hex[:8].upper()}"
    value = {"value": "hunter2-hunter2", "owners": ["*"], "hosts": ["api.example.com"]}
    assert (await admin.call("PUT", f"/api/v1/secrets/{name}", value)).status == 200
    assert (await admin.call("PUT", f"/api/v1/secrets/{name}", {"owners": []})).status == 200
    made = await admin.call("POST", "/api/v1/api-keys", {"name": "shop", "permissions": ["events:write"]})
    await admin.call("DELETE", f"/api/v1/api-keys/{made.json['id']}")
    lines = await trail(admin, who=str(admin.id))
    said = [(line["kind"], line["action"], line["object_id"]) for line in lines if line["kind"] != "permissions"]
    assert said == [
        ("api_key", "revoked", made.json["id"]),
        ("api_key", "created", made.json["id"]),
        ("secret", "changed", name),
        ("secret", "created", name),
    ]
    assert "hunter2" not in str(lines)
    assert made.json["key"] not in str(lines)
    by_name = await trail(admin, id=name)
    assert by_name[0]["changes"] == {"owners": {"old": ["*"], "new": [], "withheld": None}}


async def test_who_discards_a_dead_letter_is_named(admin: User, log: Log) -> None:
    """Though the API changes it in a role of its own."""
    number = await letter(log)
    assert (await admin.call("DELETE", f"/api/v1/dead-letters/{number}")).status == 204
    (line,) = await trail(admin, kind="dead_letter", id=str(number))
    assert (line["actor"], line["actor_kind"], line["action"]) == (str(admin.id), "admin", "discarded")


async def test_it_is_found_by_time_and_action(admin: User, user: User) -> None:
    """``from`` is inclusive and ``to`` exclusive; filters are joined by and."""
    await user.create()
    (line,) = await trail(admin, who=str(user.id), what="created")
    at = {"who": str(user.id), "kind": "workflow"}
    assert await trail(admin, **at, **{"from": line["at"]}) == [line]
    assert await trail(admin, **at, to=line["at"]) == []
    assert await trail(admin, **at, what="deleted") == []


# Of values that few rows have, any plan would rightly sort those few.
FILTERS: Final = ("TRUE", "actor = '{id}'", "action = 'a1'", "kind = 'k1'", "object_id = '{id}'")


@pytest.mark.parametrize("condition", FILTERS)
def test_every_filter_has_its_index(api_database: str, condition: str) -> None:
    """A page of a long trail is read off an index in its order: nothing is sorted, and nothing read from end to end."""
    with psycopg.connect(api_database) as connection:
        connection.execute(
            "INSERT INTO audit_trail (at, actor, actor_kind, action, kind, object_id)"
            " SELECT now() - make_interval(secs => n), gen_random_uuid(), 'user', 'a' || n % 9, 'k' || n % 9, 'o' || n"
            " FROM generate_series(1, 20000) n"
        )
        connection.execute("ANALYZE audit_trail")
        statement = f"SELECT * FROM {AUDIT_TRAIL.name} WHERE {condition.format(id=uuid4())} ORDER BY at DESC, id DESC"  # noqa: S608
        plan = connection.execute(f"EXPLAIN {statement} LIMIT 51".encode()).fetchall()
        connection.rollback()
    said = "\n".join(line for (line,) in plan)
    assert "Index Scan" in said, said
    assert "Sort" not in said, said
    assert "Filter" not in said, said
