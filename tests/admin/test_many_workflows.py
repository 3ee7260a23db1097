"""Many workflows at once: each is answered for itself, and what is exported can be applied again."""

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from tests.admin.conftest import User
from tests.admin.test_cancelling import a_command, wait
from tests.admin.test_cancelling import waiting as still_waiting
from tests.admin.test_drafts import live
from tests.admin.test_workflows import ROOT, address, written


async def do(user: User, workflows: list[dict[str, Any]], what: str, **more: Any) -> list[dict[str, Any]]:
    """Do the same to many, and return the answers."""
    ids = [one["id"] for one in workflows]
    answer = await user.call("POST", f"{ROOT}/bulk", {"ids": ids, "do": what, **more})
    assert answer.status == 200, answer
    items: list[dict[str, Any]] = answer.json["items"]
    assert [item["id"] for item in items] == list(dict.fromkeys(str(one) for one in ids))
    return items


async def test_each_is_answered_for_itself(user: User, api: Any) -> None:
    """One that is another's, and one whose channel is not there, keep none of the others back."""
    one, two, theirs = await user.create(), await user.create(), await api.user().create()
    lacking = await user.create(
        actions=[{"type": "webhook", "order": 1, "config": {"url": "https://x.example/{{ secrets.NO_SUCH }}"}}]
    )
    items = await do(user, [one, theirs, lacking, two, one], "activate")
    assert [item["status"] for item in items] == [200, 404, 409, 200]
    assert [item["version"] for item in items] == [2, None, None, 2]
    assert items[2]["errors"] == [
        {"path": "actions[0].config.url", "message": "secrets.NO_SUCH is not set; an administrator can store it"}
    ]
    for workflow, active in ((one, True), (two, True), (lacking, False)):
        assert (await user.call("GET", address(workflow))).json["active"] is active


async def test_many_are_switched_off_deleted_and_restored(user: User) -> None:
    """What is done twice is as done once, but for what is not there any more."""
    made = [await live(user) for _ in range(3)]
    assert [item["status"] for item in await do(user, made, "deactivate", waiting="finish")] == [200] * 3
    assert [item["version"] for item in await do(user, made, "delete")] == [None] * 3
    assert [item["status"] for item in await do(user, made, "delete")] == [404] * 3
    assert [item["version"] for item in await do(user, made, "restore")] == [5] * 3


async def test_a_request_that_is_wrong_does_nothing(user: User) -> None:
    """No ids, too many, what is no id, and what cannot be done."""
    workflow = await user.create()
    for body in (
        {"ids": [], "do": "delete"},
        {"ids": [str(uuid4())] * 201, "do": "delete"},
        {"ids": [workflow["id"], "x"], "do": "delete"},
        {"ids": [workflow["id"]], "do": "explode"},
    ):
        assert (await user.call("POST", f"{ROOT}/bulk", body)).status == 400, body
    assert (await user.call("GET", address(workflow))).status == 200


async def test_what_is_exported_can_be_stored_again(user: User, api: Any) -> None:
    """A line a workflow, of one's own only; named ones, or those that a filter lets through."""
    made = [await user.create(name=f"w{number}") for number in range(60)]
    await api.user().create()
    on = await live(user, name="on")
    answer = await user.call("GET", f"{ROOT}/export")
    assert answer.headers["Content-Type"] == "application/jsonl"
    lines = [orjson.loads(line) for line in answer.json.splitlines()]
    assert {line["id"] for line in lines} == {one["id"] for one in [*made, on]}
    exported = next(line for line in lines if line["id"] == made[7]["id"])
    again = await user.call("POST", ROOT, written(exported))
    assert (again.status, written(again.json)) == (201, written(made[7]))
    for query, names in ((f"?ids={made[3]['id']},{made[5]['id']}", {"w3", "w5"}), ("?active=true", {"on"})):
        answer = await user.call("GET", f"{ROOT}/export{query}")
        assert {orjson.loads(line)["name"] for line in answer.json.splitlines()} == names
    assert (await user.call("GET", f"{ROOT}/export?ids=x")).status == 400
    assert (await user.call("GET", f"{ROOT}/export?search=nothing")).json == ""


@pytest.mark.parametrize("waiting", ["finish", "cancel"])
async def test_what_waits_ends_or_goes_on_as_was_said(user: User, api_database: str, waiting: str) -> None:
    """For each of the workflows that are switched off."""
    workflows = [await live(user), await live(user)]
    for one in workflows:
        await wait(api_database, a_command(UUID(one["id"])), "delay")
    items = await do(user, workflows, "deactivate", waiting=waiting)
    assert [item["status"] for item in items] == [200, 200]
    assert [await still_waiting(user, UUID(one["id"])) for one in workflows] == [int(waiting == "finish")] * 2
