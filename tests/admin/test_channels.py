"""Channels through the API: for administrators, and the URL only ever goes in."""

import logging
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.adapters.secrets.cipher import FernetCipher
from tests.admin.conftest import User, draft
from tests.support.fake_secrets import KEY

ROOT = "/api/v1/channels"
WORKFLOWS = "/api/v1/workflows"
TOKEN = "T0PSECRETT0KEN"
URL = f"json://ada:{TOKEN}@hooks.example.com/notify"
ANY = {"headers": {"If-Match": "*"}}


async def made(admin: User, **changes: Any) -> dict[str, Any]:
    """A channel."""
    answer = await admin.call("POST", ROOT, {"name": f"c{uuid4().hex[:10]}", "url": URL, "owners": ["*"], **changes})
    assert answer.status == 201, answer.json
    created: dict[str, Any] = answer.json
    return created


def telling(channel: str) -> dict[str, Any]:
    """A workflow that notifies a channel."""
    config = {"channel": channel, "title": "t", "body": "b"}
    return draft(actions=[{"type": "send_notification", "order": 1, "config": config}])


async def test_the_url_goes_in_and_never_comes_out(admin: User, api_database: str) -> None:
    """Sealed in the database; every answer shows what service it is for in its place."""
    channel = await made(admin)
    shown = await admin.call("GET", f"{ROOT}/{channel['id']}")
    listed = await admin.call("GET", ROOT)
    replaced = await admin.call("PUT", f"{ROOT}/{channel['id']}", {"name": channel["name"], "url": URL}, **ANY)
    assert (shown.json, shown.headers["ETag"], replaced.json["version"]) == (channel, '"1"', 2)
    assert channel["service"] == "JSON"
    assert channel in listed.json["items"]
    for answer in (shown.json, listed.json, replaced.json):
        assert TOKEN not in str(answer)
    async with await psycopg.AsyncConnection.connect(api_database) as connection:
        found = await connection.execute("SELECT url FROM notification_channels WHERE id = %s", (channel["id"],))
        row = await found.fetchone()
    assert row is not None
    assert TOKEN.encode() not in bytes(row[0])
    assert FernetCipher(KEY).decrypt(bytes(row[0])) == URL


async def test_channels_are_for_administrators(admin: User, user: User) -> None:
    """403 for users, whatever they try."""
    path = f"{ROOT}/{(await made(admin))['id']}"
    for method, where, body in (
        ("POST", ROOT, {"name": "mine", "url": URL}),
        ("GET", ROOT, None),
        ("GET", path, None),
        ("PUT", path, {"name": "mine", "url": URL}),
        ("DELETE", path, None),
    ):
        assert (await user.call(method, where, body, **ANY)).status == 403, method


async def test_a_dry_run_tells_of_a_channel_that_is_not_for_the_workflow(admin: User, user: User) -> None:
    """Granted it runs; to others, to no workflow, or not there at all it fails, in the same words."""
    event = {"data": {"customer": {"id": "c-1"}}}
    for changes, status in (
        ({}, "success"),
        ({"owners": [str(user.id)]}, "success"),
        ({"owners": [str(uuid4())]}, "failed"),
        ({"workflows": [str(uuid4())]}, "failed"),
        (None, "failed"),
    ):
        name = "nowhere" if changes is None else (await made(admin, **changes))["name"]
        wanted = {"workflow": telling(name) | {"conditions": []}, "event": event}
        answer = await user.call("POST", f"{WORKFLOWS}/test", wanted)
        (step,) = answer.json["steps"]
        assert step["status"] == status, (changes, step)
        refused = f"there is no channel for this workflow named {name!r}"
        assert step["error"] == (refused if status == "failed" else None)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": "Sales team"}, "name"),
        ({"url": None}, "url"),
        ({"url": f"nothing://{TOKEN}"}, "url"),
        ({"url": f"slack://{TOKEN}"}, "url"),
        ({"url": f"json://{TOKEN}/" + "x" * 4096}, "url"),
        ({"url": [URL]}, "url"),
        ({"token": TOKEN}, "token"),
    ],
)
async def test_what_is_wrong_is_named_without_the_url(
    admin: User, changes: dict[str, Any], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """400 by field; neither the problem document nor the log holds what was sent."""
    caplog.set_level(logging.DEBUG)
    answer = await admin.call("POST", ROOT, {"name": "n", "url": URL, **changes})
    assert (answer.status, [error["path"] for error in answer.json["errors"]]) == (400, [path])
    assert TOKEN not in str(answer.json) + caplog.text


async def test_a_channel_is_changed_by_version(admin: User) -> None:
    """Without a URL it keeps the one it has; a name is taken once; without If-Match 428, with an old one 412."""
    channel, other = await made(admin), await made(admin)
    path, name = f"{ROOT}/{channel['id']}", f"c{uuid4().hex[:10]}"
    renamed = await admin.call("PUT", path, {"name": name}, headers={"If-Match": '"1"'})
    assert (renamed.json["name"], renamed.json["service"], renamed.headers["ETag"]) == (name, "JSON", '"2"')
    assert (await admin.call("PUT", path, {"name": name}, headers={"If-Match": '"1"'})).status == 412
    assert (await admin.call("PUT", path, {"name": name})).status == 428
    assert (await admin.call("PUT", path, {"name": other["name"]}, **ANY)).status == 409
    assert (await admin.call("POST", ROOT, {"name": name, "url": URL})).status == 409
    assert (await admin.call("DELETE", path)).status == 204
    assert (await admin.call("GET", path)).status == 404


async def test_workflows_name_channels_that_are_there(admin: User, user: User) -> None:
    """Any user's workflow may name one; one that is not there is refused by its path; what is used stays."""
    refused = await user.call("POST", WORKFLOWS, telling("night-shift"))
    assert (refused.status, refused.json["errors"][0]["path"]) == (400, "actions[0].config.channel")
    channel = await made(admin)
    path = f"{ROOT}/{channel['id']}"
    workflow = (await user.call("POST", WORKFLOWS, {**telling(channel["name"]), "name": "Teller"})).json
    for answer in (await admin.call("DELETE", path), await admin.call("PUT", path, {"name": "other"}, **ANY)):
        assert answer.status == 409
        assert "'Teller'" in answer.json["detail"]
    assert (await admin.call("PUT", path, {"name": channel["name"], "url": URL}, **ANY)).status == 200
    assert (await user.call("DELETE", f"{WORKFLOWS}/{workflow['id']}")).status == 204
    assert (await admin.call("DELETE", path)).status == 204
