"""API keys over HTTP: made by administrators, answered once, used by services, revoked within seconds."""

import logging
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.admin.conftest import Api, User, draft
from tests.admin.log import Log
from tests.support.hoarding import hoarding

ROOT = "/api/v1/api-keys"


async def make(api: Api, admin: User, *permissions: str, name: str = "shop") -> tuple[dict[str, Any], User]:
    """Make a key; returns its answer and who calls with it."""
    answer = await admin.call("POST", ROOT, {"name": name, "permissions": list(permissions)})
    assert answer.status == 201, answer
    api.now[0] += 1  # keys were perhaps read just before it was made
    return answer.json, User(api.client, answer.json["key"], UUID(answer.json["id"]))


async def test_a_key_is_answered_once_and_kept_nowhere(
    api: Api, admin: User, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    """The list has name, permissions and who made it; no row, no log line and no other answer has the key."""
    with caplog.at_level(logging.DEBUG):
        made, shop = await make(api, admin, "crm:read")
        await shop.call("GET", "/api/v1/workflows")
        await shop.call("POST", "/api/v1/workflows", draft())
        listed = await admin.call("GET", ROOT)
        await admin.call("DELETE", f"{ROOT}/{made['id']}")
    key = made["key"]
    entry = next(item for item in listed.json["items"] if item["id"] == made["id"])
    assert (entry["name"], entry["permissions"], entry["created_by"]) == ("shop", ["crm:read"], str(admin.id))
    assert entry["last_used"] is not None
    rows = await (await log.connection.execute("SELECT k::text FROM api_keys k")).fetchall()
    for said in (listed.json, rows, caplog.text):
        assert key not in str(said)
        assert key.removeprefix("hrk_") not in str(said)


async def test_no_lock_of_a_stranger_keeps_a_key_from_being_made(api: Api, admin: User, api_database: str) -> None:
    """Whoever has SQL as `authenticated` may take every lock that they are given."""
    with hoarding(api_database, "authenticated", advisory=["hashtext('headrace api keys')"]):
        made, _ = await make(api, admin, "crm:read")
    assert (await admin.call("DELETE", f"{ROOT}/{made['id']}")).status == 204


async def test_only_administrators_may(api: Api, user: User, admin: User) -> None:
    """Users and keys get 403 for each of the operations, and nothing is changed."""
    made, shop = await make(api, admin, "operate")
    for caller in (user, shop):
        for method, path in (("GET", ROOT), ("POST", ROOT), ("DELETE", f"{ROOT}/{made['id']}")):
            answer = await caller.call(method, path, {"name": "mine", "permissions": ["events:write"]})
            assert answer.status == 403, (method, answer)
    assert (await admin.call("DELETE", f"{ROOT}/{made['id']}")).status == 204


async def test_a_key_may_what_it_grants_and_nothing_of_users(api: Api, admin: User, user: User) -> None:
    """It sees no workflow, changes none, and owns none: what is not opened by one of its permissions is 403."""
    workflow = await user.create()
    _, shop = await make(api, admin, "events:write", "crm:read")
    assert (await shop.call("GET", "/api/v1/workflows")).json["items"] == []
    assert (await shop.call("GET", f"/api/v1/workflows/{workflow['id']}")).status == 404
    for method, path, body in (
        ("POST", "/api/v1/workflows", draft()),
        ("PATCH", f"/api/v1/workflows/{workflow['id']}", {"name": "Mine"}),
        ("POST", f"/api/v1/workflows/{workflow['id']}/execute", {}),
        ("POST", "/api/v1/templates", {}),
    ):
        answer = await shop.call(method, path, body)
        assert answer.status == 403, (method, path, answer)
        assert "owns nothing" in answer.json["detail"]


async def test_a_revoked_key_is_refused(api: Api, admin: User) -> None:
    """401 within the seconds that it is believed; revoking it again is 404."""
    made, shop = await make(api, admin, "crm:read")
    assert (await shop.call("GET", "/api/v1/workflows")).status == 200
    assert (await admin.call("DELETE", f"{ROOT}/{made['id']}")).status == 204
    api.now[0] += 3
    answer = await shop.call("GET", "/api/v1/workflows")
    assert answer.status == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    for key_id in (made["id"], str(uuid4()), "shop"):
        assert (await admin.call("DELETE", f"{ROOT}/{key_id}")).status == 404


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"name": "shop"}, {"permissions"}),
        ({"name": "shop", "permissions": ["events:read"]}, {"permissions[0]"}),
        ({"name": "shop", "permissions": ["events:write"], "expires_at": "2020-01-01T00:00:00Z"}, {"expires_at"}),
        ({"name": "shop", "permissions": ["events:write"], "key": "hrk_mine"}, {"key"}),
    ],
)
async def test_what_is_wrong_is_named(admin: User, body: dict[str, Any], paths: set[str]) -> None:
    """400 with the path to each field."""
    answer = await admin.call("POST", ROOT, body)
    assert (answer.status, {error["path"] for error in answer.json["errors"]}) == (400, paths)


async def test_a_key_is_exchanged_without_a_break(api: Api, admin: User) -> None:
    """Both hold until the overlap is over; the new one may the same; who used which, and when, is in the list."""
    made, shop = await make(api, admin, "crm:read")
    path = f"{ROOT}/{made['id']}/rotate"
    answer = await admin.call("POST", path, {"overlap_s": 3600})
    assert answer.status == 201, answer
    new = answer.json
    api.now[0] += 3
    both = [await User(api.client, key).call("GET", "/api/v1/crm/customers") for key in (shop.token, new["key"])]
    assert [one.status for one in both] == [200, 200]
    listed = {item["id"]: item for item in (await admin.call("GET", ROOT)).json["items"]}
    assert listed[made["id"]]["replaced_by"] == new["id"]
    assert listed[made["id"]]["expires_at"] is not None
    assert (listed[new["id"]]["permissions"], listed[new["id"]]["expires_at"]) == (["crm:read"], None)
    assert listed[new["id"]]["last_used"] is not None
    assert (await admin.call("POST", path, {})).status == 409
    assert (await admin.call("POST", f"{ROOT}/{new['id']}/rotate", {"overlap_s": 0})).status == 201
    api.now[0] += 3
    assert (await User(api.client, new["key"]).call("GET", "/api/v1/crm/customers")).status == 401


async def test_the_end_of_a_key_is_never_put_off(api: Api, admin: User, log: Log) -> None:
    """Not even by whoever owns the table."""
    made, _ = await make(api, admin, "crm:read")
    await admin.call("POST", f"{ROOT}/{made['id']}/rotate", {})
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="ends when it was to end"):
        await log.connection.execute("UPDATE api_keys SET expires_at = NULL WHERE id = %s", (made["id"],))
