"""Drafts: what runs goes on until they are published, and nothing that was written is lost on the way."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.admin.conftest import Answer, User, draft
from tests.admin.test_workflows import address, published, written

NONE = {"If-Match": '"0"'}
ANY = {"If-Match": "*"}


async def live(user: User, **changes: Any) -> dict[str, Any]:
    """Create a workflow and switch it on."""
    created = await user.create(**changes)
    answer = await user.call("POST", f"{address(created)}/activate")
    assert answer.status == 200, answer
    switched: dict[str, Any] = answer.json
    return switched


async def save(user: User, workflow: dict[str, Any], body: Any, headers: dict[str, str] = ANY) -> Answer:
    """Save a workflow's draft."""
    return await user.call("PUT", f"{address(workflow)}/draft", body, headers=headers)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_change_of_a_live_workflow_is_its_draft(user: User, api_database: str, method: str) -> None:
    """What runs stays, in the row and for the matchers; the answer and the list say that there is a draft."""
    workflow = await live(user)
    answer = await user.call(method, address(workflow), draft(name="Next"), headers={"If-Match": '"2"'})
    assert answer.status == 200, answer
    assert (answer.json["name"], answer.json["version"], answer.headers["ETag"]) == ("Big order", 2, '"2"')
    note = answer.json["draft"]
    assert (note["version"], note["based_on"], note["changes"], note["saved_by"]) == (1, 2, 1, str(user.id))
    assert (await user.call("GET", address(workflow))).json == answer.json
    assert (await user.call("GET", "/api/v1/workflows")).json["items"] == [answer.json]
    kept = await user.call("GET", f"{address(workflow)}/draft")
    assert (kept.json["workflow"]["name"], kept.json["problems"], kept.headers["ETag"]) == ("Next", [], '"1"')
    _, versions = await published(api_database, workflow)
    assert versions == [1, 2]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_change_can_take_effect_at_once(user: User, method: str) -> None:
    """With publish=true a live workflow is changed as an inactive one is, and its draft stays what it was."""
    workflow = await live(user)
    await save(user, workflow, draft(name="Mine"))
    answer = await user.call(method, f"{address(workflow)}?publish=true", draft(name="Now"), headers=ANY)
    assert (answer.status, answer.json["name"], answer.json["version"], answer.json["active"]) == (200, "Now", 3, True)
    assert (await user.call("GET", f"{address(workflow)}/draft")).json["workflow"]["name"] == "Mine"


async def test_patches_of_a_live_workflow_add_up(user: User) -> None:
    """The second is applied to what the first has made, not to what is live."""
    workflow = await live(user)
    for patch in ({"name": "Next"}, {"priority": 2}):
        assert (await user.call("PATCH", address(workflow), patch, headers=ANY)).status == 200
    kept = (await user.call("GET", f"{address(workflow)}/draft")).json
    assert (kept["workflow"]["name"], kept["workflow"]["priority"], kept["changes"]) == ("Next", 2, 2)


async def test_what_is_wrong_is_kept_and_named(user: User) -> None:
    """An editor saves an unfinished draft; what is wrong of it is listed, and publishing refuses it with the same."""
    workflow = await live(user)
    unfinished = {"name": "", "trigger": {"type": "order.paid"}, "actions": [{"type": "webhook", "order": 1}]}
    kept = await save(user, workflow, unfinished, NONE)
    assert (kept.status, kept.json["workflow"]) == (200, unfinished)
    problems = kept.json["problems"]
    assert {"name", "actions[0].config.url"} <= {one["path"] for one in problems}
    refused = await user.call("POST", f"{address(workflow)}/publish", headers=ANY)
    assert (refused.status, refused.json["errors"]) == (409, problems)
    assert (await user.call("GET", f"{address(workflow)}/draft")).json["workflow"] == unfinished


async def test_a_draft_names_what_is_missing(user: User) -> None:
    """Channels and secrets that are not there are problems of a draft of a live workflow."""
    workflow = await live(user)
    actions = [
        {"type": "send_notification", "order": 1, "config": {"channel": "nowhere", "title": "x", "body": "x"}},
        {"type": "webhook", "order": 2, "config": {"url": "https://x.example/{{ secrets.NO_SUCH }}"}},
    ]
    problems = (await save(user, workflow, draft(actions=actions))).json["problems"]
    paths = {one["path"]: one["message"] for one in problems}
    assert "'nowhere'" in paths["actions[0].config.channel"]
    assert "secrets.NO_SUCH is not set" in paths["actions[1].config.url"]


async def test_publishing_makes_the_draft_live(user: User, api_database: str) -> None:
    """One write: the row, its revision and the record for the matchers; then there is no draft any more."""
    workflow = await live(user)
    await save(user, workflow, draft(name="Next", priority=1))
    answer = await user.call("POST", f"{address(workflow)}/publish", headers={"If-Match": '"1"'})
    assert answer.status == 200, answer
    assert written(answer.json) == {**written(workflow), "name": "Next", "priority": 1}
    assert (answer.json["version"], answer.json["active"], answer.json["draft"]) == (3, True, None)
    revisions, versions = await published(api_database, workflow)
    assert ([(r.version, r.name) for r in revisions][-1], versions) == ((3, "Next"), [1, 2, 3])
    assert (await user.call("GET", f"{address(workflow)}/draft")).status == 404
    assert (await user.call("POST", f"{address(workflow)}/publish", headers=ANY)).status == 409


async def test_publishing_does_not_undo_what_was_published_meanwhile(user: User) -> None:
    """409 where the live version has changed; having been switched off and on is no change; overwrite insists."""
    workflow = await live(user)
    await save(user, workflow, draft(name="Mine"))
    for how in ("deactivate", "activate"):
        await user.call("POST", f"{address(workflow)}/{how}")
    await user.call("PATCH", f"{address(workflow)}?publish=true", {"priority": 3}, headers=ANY)
    refused = await user.call("POST", f"{address(workflow)}/publish", headers=ANY)
    assert refused.status == 409
    assert "from=2&to=5" in refused.json["detail"]
    answer = await user.call("POST", f"{address(workflow)}/publish?overwrite=true", headers=ANY)
    assert (answer.json["name"], answer.json["priority"]) == ("Mine", 5)
    await save(user, workflow, draft(name="Again"))
    for how in ("deactivate", "activate"):
        await user.call("POST", f"{address(workflow)}/{how}")
    assert (await user.call("POST", f"{address(workflow)}/publish", headers=ANY)).json["name"] == "Again"


async def test_of_two_editors_one_hears_of_the_other(user: User) -> None:
    """A draft has a number of its own: 428 without, 412 with an old one; who discards does not give one again."""
    workflow = await live(user)
    assert (await user.call("PUT", f"{address(workflow)}/draft", draft())).status == 428
    assert (await save(user, workflow, draft(name="a"), {"If-Match": '"1"'})).status == 412
    assert (await save(user, workflow, draft(name="a"), NONE)).headers["ETag"] == '"1"'
    assert (await save(user, workflow, draft(name="b"), NONE)).status == 412
    assert (await save(user, workflow, draft(name="b"), {"If-Match": '"1"'})).headers["ETag"] == '"2"'
    assert (await save(user, workflow, draft(name="c"), {"If-Match": '"1"'})).status == 412
    discard = await user.call("DELETE", f"{address(workflow)}/draft", headers={"If-Match": '"1"'})
    assert discard.status == 412
    assert (await user.call("DELETE", f"{address(workflow)}/draft", headers={"If-Match": '"2"'})).status == 204
    assert (await user.call("DELETE", f"{address(workflow)}/draft", headers=ANY)).status == 404
    assert (await user.call("GET", address(workflow))).json["draft"] is None
    assert (await save(user, workflow, draft(name="d"), {"If-Match": '"2"'})).status == 412
    assert int((await save(user, workflow, draft(name="d"), NONE)).headers["ETag"].strip('"')) > 2


@pytest.mark.parametrize(("method", "path"), [("DELETE", "draft"), ("POST", "publish")])
async def test_nobody_publishes_or_drops_what_they_have_not_read(user: User, method: str, path: str) -> None:
    """428 without If-Match, 412 with the number of an older draft: a colleague's newer one stays; ``*`` is any."""
    workflow = await live(user)
    for name in ("mine", "a colleague's"):
        await save(user, workflow, draft(name=name))
    for headers, status in (({}, 428), ({"If-Match": " "}, 428), ({"If-Match": '"1"'}, 412)):
        answer = await user.call(method, f"{address(workflow)}/{path}", headers=headers)
        assert answer.status == status, (headers, answer)
        assert (await user.call("GET", f"{address(workflow)}/draft")).json["workflow"]["name"] == "a colleague's"
        assert (await user.call("GET", address(workflow))).json["version"] == 2
    assert (await user.call(method, f"{address(workflow)}/{path}", headers=ANY)).status in {200, 204}


async def test_saving_is_one_row(user: User, api_database: str) -> None:
    """However often it is saved: no revision, no record for the matchers; the same again is not even a write."""
    workflow = await live(user)
    for number in range(5):
        await save(user, workflow, draft(name=f"n{number}"))
    again = await save(user, workflow, draft(name="n4"))
    assert again.headers["ETag"] == '"5"'
    _, versions = await published(api_database, workflow)
    assert versions == [1, 2]
    async with await psycopg.AsyncConnection.connect(api_database) as connection:
        kept = "SELECT count(*) FROM automation_drafts WHERE automation_id = %s"
        assert await (await connection.execute(kept, (UUID(workflow["id"]),))).fetchone() == (1,)


async def test_an_earlier_revision_comes_back_as_a_draft(user: User) -> None:
    """It runs again only once it is published; a draft that is there is not overwritten unasked."""
    workflow = await live(user, name="First")
    await user.call("PATCH", f"{address(workflow)}?publish=true", {"name": "Second"}, headers=ANY)
    shown = (await user.call("GET", f"{address(workflow)}/revisions/2")).json
    assert (shown["name"], shown["version"], shown["written_by"]) == ("First", 2, str(user.id))
    kept = await user.call("POST", f"{address(workflow)}/revisions/2/restore")
    assert (kept.status, kept.json["workflow"]["name"], kept.json["problems"]) == (200, "First", [])
    assert (await user.call("GET", address(workflow))).json["name"] == "Second"
    assert (await user.call("POST", f"{address(workflow)}/revisions/1/restore")).status == 428
    stale = await user.call("POST", f"{address(workflow)}/revisions/1/restore", headers={"If-Match": '"7"'})
    assert (stale.status, (await user.call("GET", f"{address(workflow)}/draft")).json) == (412, kept.json)
    again = await user.call("POST", f"{address(workflow)}/revisions/1/restore", headers=ANY)
    assert again.status == 200
    assert (await user.call("POST", f"{address(workflow)}/publish", headers=ANY)).json["name"] == "First"
    for version in ("9", "0", "x", "99999999999"):
        assert (await user.call("GET", f"{address(workflow)}/revisions/{version}")).status == 404, version


async def test_a_draft_is_its_owners(user: User, admin: User, api: Any) -> None:
    """Another user finds none; an administrator saves one, under their own name, and publishes it."""
    workflow = await live(user)
    await save(user, workflow, draft(name="Mine"))
    other = api.user()
    for method, path in (("GET", "draft"), ("DELETE", "draft"), ("POST", "publish"), ("POST", "revisions/1/restore")):
        assert (await other.call(method, f"{address(workflow)}/{path}", headers=ANY)).status == 404, path
    assert (await save(other, workflow, draft())).status == 404
    theirs = await save(admin, workflow, draft(name="Theirs"))
    assert (theirs.status, theirs.json["saved_by"]) == (200, str(admin.id))
    answer = await admin.call("POST", f"{address(workflow)}/publish", headers=ANY)
    assert (answer.json["name"], answer.json["created_by"]) == ("Theirs", str(user.id))


async def test_what_is_deleted_can_be_restored(user: User, api_database: str) -> None:
    """As it was, switched off, with its history and its draft; the matchers hear of it; twice is as once."""
    workflow = await live(user)
    await save(user, workflow, draft(name="Next"))
    await user.call("DELETE", address(workflow))
    assert (await user.call("GET", f"{address(workflow)}/draft")).status == 404
    answer = await user.call("POST", f"{address(workflow)}/restore")
    assert answer.status == 200, answer
    assert written(answer.json) == written(workflow)
    assert (answer.json["active"], answer.json["version"], answer.json["deleted_at"]) == (False, 4, None)
    revisions, _ = await published(api_database, workflow)
    assert [(r.active, r.deleted) for r in revisions][-2:] == [(False, True), (False, False)]
    assert (await user.call("GET", f"{address(workflow)}/draft")).json["workflow"]["name"] == "Next"
    assert (await user.call("POST", f"{address(workflow)}/restore")).json["version"] == 4
    assert (await user.call("POST", f"/api/v1/workflows/{uuid4()}/restore")).status == 404


async def test_a_copy_is_ones_own(user: User, admin: User) -> None:
    """Inactive, under another name, of what is live and not of the draft."""
    workflow = await live(user)
    await save(user, workflow, draft(name="Next"))
    answer = await admin.call("POST", f"{address(workflow)}/duplicate", {})
    assert answer.status == 201, answer
    assert written(answer.json) == {**written(workflow), "name": "Copy of Big order"}
    assert (answer.json["active"], answer.json["created_by"], answer.json["draft"]) == (False, str(admin.id), None)
    named = await user.call("POST", f"{address(workflow)}/duplicate", {"name": "Other"})
    assert (named.json["name"], named.headers["Location"]) == ("Other", f"/api/v1/workflows/{named.json['id']}")
