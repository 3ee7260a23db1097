"""If-Match is asked for where the document says so, and nowhere else."""

from http import HTTPStatus
from typing import Final

import pytest
from multidict import CIMultiDict

from app.admin.operations import JSON, MERGE_PATCH, Operation
from app.admin.routes import OPERATIONS
from tests.admin.conftest import Api, User
from tests.admin.prepared import path_of
from tests.admin.test_openapi import DOCUMENT

READ: Final = [one for one in OPERATIONS if one.if_match != "no"]
# What takes effect on what others write, or drops it; switching and deleting are the same whatever was read.
OPTIONAL: Final = {
    "activateWorkflow", "deactivateWorkflow", "deleteWorkflow",
    "deleteTemplate", "deleteMessageTemplate", "deleteChannel",
}  # fmt: skip


@pytest.mark.parametrize("one", READ, ids=[one.name for one in READ])
async def test_if_match_is_asked_for_as_described(api: Api, one: Operation) -> None:
    """Required: 428 without, and 412 with a version that there is not; optional: never 428."""
    admin = api.user("admin")
    path = await path_of(admin, one)
    draft = path.partition("/draft")[0].partition("/publish")[0].partition("/revisions/")[0]
    if draft != path:
        saved = await admin.call("PUT", f"{draft}/draft", {"name": "x"}, headers={"If-Match": "*"})
        assert saved.status == 200, saved
    described = DOCUMENT["paths"][one.path][one.method.lower()]
    body = one.body.example if one.body else None
    kind = {"Content-Type": JSON} if one.body else {}
    stale = await admin.call(one.method, path, body, headers={**kind, "If-Match": '"987654"'})
    without = await admin.call(one.method, path, body, headers=kind)
    assert (stale.status, without.status == 428) == (412, "428" in described["responses"]), (stale, without)
    (parameter,) = [each for each in described["parameters"] if each["name"] == "If-Match"]
    assert parameter["required"] == (one.if_match == "required")


def test_what_may_leave_it_out_is_a_short_list() -> None:
    """Everything else that reads it asks for it."""
    assert {one.name for one in READ if one.if_match == "optional"} == OPTIONAL


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (['"1"'], 200),
        (['"7", "1"'], 200),
        (['"7"', '"1"'], 200),
        ([',"7" ,, "1",'], 200),
        (['"of, another", W/"7", "1"'], 200),
        (['"7", "8"'], 412),
        (['W/"1"'], 412),
        (['"7", *'], 412),
        (['"1" "7"'], 412),
        (['"1", 7'], 412),
    ],
    ids=str,
)
async def test_if_match_may_name_several_versions(user: User, given: list[str], status: int) -> None:
    """Any of them will do, in one line or several, with tags of others among them; weak ones match nothing."""
    path = f"/api/v1/workflows/{(await user.create())['id']}"
    sent = CIMultiDict([("If-Match", one) for one in given] + [("Authorization", f"Bearer {user.token}")])
    async with user.client.request("POST", f"{path}/activate", headers=sent) as changed:
        assert changed.status == status
    sent.add("Content-Type", MERGE_PATCH)
    if status != HTTPStatus.OK:
        async with user.client.request("PATCH", path, json={"name": "b"}, headers=sent) as patched:
            assert patched.status == status


async def test_a_draft_may_be_one_of_several(user: User) -> None:
    """Its number as well, and 0 where there is none yet."""
    path = f"/api/v1/workflows/{(await user.create())['id']}/draft"
    for given, status in (('"0", "1"', 200), ('"0", "9"', 412), ('"0", "1"', 200)):
        assert (await user.call("PUT", path, {"name": "x"}, headers={"If-Match": given})).status == status
