"""What changes no row that users edit is on the audit trail too: sign-ins, retries, runs, cancels, exports."""

from typing import Any, Final
from uuid import uuid4

import pytest

from tests.admin.browsers import Visitor
from tests.admin.conftest import Api, User, serving
from tests.admin.log import Log
from tests.admin.test_audit import trail
from tests.admin.test_cancelling import a_command, wait, workflow_of
from tests.admin.test_dead_letters import letter
from tests.admin.test_retry import failed
from tests.admin.test_sign_in import PASSWORD, USERS, member

EXECUTIONS: Final = "/api/v1/executions"


def said(line: dict[str, Any]) -> dict[str, Any]:
    """What a line says beside who did what to which."""
    return {name: change["new"] for name, change in line["changes"].items() if name != "last"}


async def test_sign_ins_that_fail_are_counted_by_account_address_and_reason(api: Api, admin: User) -> None:
    """One line an hour each, with how many there were; by nobody, for nobody has proved who they are."""
    made, visitor = await member(admin), Visitor(api)
    for _ in range(3):
        await visitor.sign_in(made["email"].upper(), "wrong-wrong")
    (line,) = await trail(admin, id=made["id"], what="sign_in_failed")
    assert (line["actor"], line["actor_kind"], line["kind"], line["name"]) == (
        None, "anonymous", "sign_in", made["email"],
    )  # fmt: skip
    assert said(line) == {"address": "127.0.0.1", "why": "wrong_password", "attempts": 3}


async def test_why_a_sign_in_failed_is_told(api: Api, admin: User) -> None:
    """To administrators: whoever tries is told the same of all of them."""
    bare, out, nobody = await member(admin, password=None), await member(admin), f"{uuid4().hex}@example.com"
    await admin.call("PATCH", f"{USERS}/{out['id']}", {"disabled": True}, headers={"If-Match": "*"})
    for email in (bare["email"], out["email"], nobody):
        await Visitor(api).sign_in(email, PASSWORD)
    found = {one: await trail(admin, id=one, what="sign_in_failed") for one in (bare["id"], out["id"], nobody)}
    assert [said(line)["why"] for (line,) in found.values()] == ["no_password", "disabled", "no_such_user"]


async def test_a_password_in_the_wrong_field_is_not_told(api: Api, admin: User) -> None:
    """What is no e-mail address is of an account that is unknown, and so is a link that is none."""
    secret = f"hunter2-{uuid4().hex}"
    await Visitor(api).sign_in(secret, "")
    await Visitor(api).follow("hrl_" + "a" * 43)
    lines = await trail(admin, id="unknown", what="sign_in_failed")
    assert {said(line)["why"] for line in lines} >= {"no_such_user", "bad_link"}
    assert secret not in str(await trail(admin, what="sign_in_failed"))


async def test_attempts_above_the_limits_are_told_without_a_line_each(api: Api) -> None:
    """Of an account as they come, which the address' limit bounds; of an address once a minute, with how many."""
    async with serving(api.settings.model_copy(update={"sign_ins_per_minute": 1})) as own:
        admin, visitor = own.user("admin"), Visitor(own)
        made = await member(admin)
        for _ in range(9):
            await visitor.sign_in(made["email"], "wrong-wrong", X_Forwarded_For="198.51.100.7")
        lines = {said(line)["why"]: said(line) for line in await trail(admin, id=made["id"], what="sign_in_failed")}
        assert {why: one["attempts"] for why, one in lines.items()} == {"wrong_password": 1, "too_many": 2}


async def test_sessions_that_end_are_told_with_who_ended_them(api: Api, admin: User) -> None:
    """By signing out, or by an administrator; whose it was stands beside it."""
    made, here, there = await member(admin, "admin"), Visitor(api), Visitor(api)
    sessions = [(await one.sign_in(made["email"], PASSWORD)).json["session"]["id"] for one in (here, there)]
    await here.call("DELETE", "/api/v1/session")
    await admin.call("DELETE", f"/api/v1/sessions/{sessions[1]}")
    lines = [await trail(admin, id=one) for one in sessions]
    assert [[(line["action"], line["actor"], line["actor_kind"]) for line in of] for of in lines] == [
        [("signed_out", made["id"], "admin"), ("signed_in", made["id"], "admin")],
        [("ended", str(admin.id), "admin"), ("signed_in", made["id"], "admin")],
    ]
    assert lines[1][0]["changes"]["user_id"]["old"] == made["id"]


async def test_a_user_who_is_removed_leaves_lines_of_the_sessions_that_ended(api: Api, admin: User) -> None:
    """Also those that end with something else: a password, a user."""
    made, visitor = await member(admin), Visitor(api)
    session = (await visitor.sign_in(made["email"], PASSWORD)).json["session"]["id"]
    assert (await admin.call("DELETE", f"{USERS}/{made['id']}")).status == 204
    assert [line["action"] for line in await trail(admin, id=session)] == ["ended", "signed_in"]


async def test_a_retry_is_told(api: Api, user: User, log: Log) -> None:
    """With the attempt; one that is refused is not."""
    row = await failed(user, log, "failed")
    path = f"{EXECUTIONS}/{row['id']}/retry"
    assert [(await user.call("POST", path)).status for _ in range(2)] == [202, 409]
    (line,) = await trail(api.user("admin"), id=str(row["id"]))
    assert (line["actor"], line["action"], line["kind"], line["version"]) == (str(user.id), "retried", "execution", 2)
    assert said(line)["workflow_id"] == row["workflow"]


async def test_a_run_by_hand_is_told(api: Api, user: User) -> None:
    """By the execution's id, and without the event's data."""
    workflow, word = await workflow_of(user, active=True), uuid4().hex
    answer = await user.call("POST", f"/api/v1/workflows/{workflow}/execute", {"data": {"note": word}})
    assert answer.status == 202, answer
    (line,) = await trail(api.user("admin"), id=answer.json["execution_id"])
    assert (line["actor"], line["action"], said(line)) == (str(user.id), "run_by_hand", {"workflow_id": str(workflow)})
    assert word not in str(line)


async def test_cancels_are_told(api: Api, user: User, api_database: str) -> None:
    """Of one execution by its id; of all that wait for a workflow in a line, with how many."""
    admin, workflow = api.user("admin"), await workflow_of(user, active=True)
    command = a_command(workflow)
    await wait(api_database, command, "delay")
    assert (await user.call("POST", f"{EXECUTIONS}/{command.execution_id}/cancel")).status == 200
    (line,) = await trail(admin, id=str(command.execution_id))
    assert (line["actor"], line["action"], line["kind"]) == (str(user.id), "cancelled", "execution")
    for _ in range(2):
        await wait(api_database, a_command(workflow), "delay")
    path = f"/api/v1/workflows/{workflow}/deactivate?waiting=cancel"
    assert (await user.call("POST", path, headers={"If-Match": "*"})).status == 200
    (line,) = await trail(admin, id=str(workflow), what="cancelled")
    assert (line["actor"], line["kind"], said(line)["executions"]) == (str(user.id), "waiting", 2)


@pytest.mark.parametrize(("verb", "suffix", "action"), [("POST", "/replay", "replayed"), ("DELETE", "", "discarded")])
async def test_what_becomes_of_a_dead_letter_is_told(
    admin: User, log: Log, verb: str, suffix: str, action: str
) -> None:
    """Sent again or dropped, by whom; nothing of what is in it."""
    number = await letter(log)
    assert (await admin.call(verb, f"/api/v1/dead-letters/{number}{suffix}")).status < 300
    (line,) = await trail(admin, kind="dead_letter", id=str(number))
    assert (line["actor"], line["action"]) == (str(admin.id), action)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_exports_are_told(api: Api, user: User, form: str) -> None:
    """What was asked for, but no words: those may be of the data."""
    workflow = await user.create()
    params = {"format": form, "workflow_id": workflow["id"], "search": "hunter2"}
    assert (await user.call("GET", f"{EXECUTIONS}/export", params=params)).status == 200
    (line,) = await trail(api.user("admin"), id=workflow["id"], what="exported")
    assert (line["actor"], line["kind"], said(line)["format"]) == (str(user.id), "executions", form)
    assert "hunter2" not in str(line)
    assert (await user.call("GET", "/api/v1/workflows/export")).status == 200
    (line,) = await trail(api.user("admin"), who=str(user.id), kind="workflows")
    assert (line["action"], line["object_id"]) == ("exported", "all")


async def test_exports_are_no_pages_that_are_read(api: Api, admin: User) -> None:
    """A session's count against the limit of requests, so that nobody fills the trail with them."""
    limits = {"rate_limit_per_minute": 1, "page_reads_per_minute": 100}
    made = await member(admin)
    async with serving(api.settings.model_copy(update=limits)) as own:
        visitor = Visitor(own)
        await visitor.sign_in(made["email"], PASSWORD)
        answers = [(await visitor.call("GET", "/api/v1/workflows/export")).status for _ in range(2)]
        assert answers == [200, 429]


@pytest.mark.parametrize("path", [f"{EXECUTIONS}/export", "/api/v1/workflows/export"])
async def test_another_sites_link_exports_nothing_in_somebodys_name(api: Api, admin: User, path: str) -> None:
    """A link on another page brings the cookie along: it is refused, and the trail says nothing of who followed it."""
    made, visitor = await member(admin), Visitor(api)
    await visitor.sign_in(made["email"], PASSWORD)
    assert (await visitor.call("GET", path, Sec_Fetch_Site="cross-site")).status == 403
    assert await trail(admin, who=made["id"], what="exported") == []
    assert (await visitor.call("GET", path, Sec_Fetch_Site="none")).status == 200
