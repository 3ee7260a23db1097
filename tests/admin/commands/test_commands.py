"""The commands over the API: what they show to people and to programs, and how they end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.embedded.free_ports import pick_ports
from tests.admin.commands.conftest import Shell
from tests.admin.conftest import User, draft
from tests.admin.log import Log
from tests.admin.test_dead_letters import letter

pytestmark = pytest.mark.postgres


async def test_workflows_are_listed_shown_and_switched(shell: Shell, user: User) -> None:
    """By id or by name; what is piped is whole, in columns, without colour."""
    made = await user.create(name="A name that no narrow terminal would show whole, not even nearly so")
    listed = await shell.run("workflows", "list", "--inactive")
    head, row = listed.out.splitlines()
    assert head.split()[:3] == ["ID", "STATE", "NAME"]
    assert made["name"] in row
    assert "\x1b" not in listed.out
    on = await shell.run("workflows", "activate", made["name"])
    assert "is active (version 2)" in on.out
    near = await shell.run("workflows", "show", made["name"][:-1])
    assert (near.code, f"is {made['name']!r} meant?" in near.err) == (3, True)
    assert "was so already" in (await shell.run("workflows", "activate", made["id"])).out
    assert (await shell.run("workflows", "show", made["id"], "--json")).json["active"] is True
    assert "type: order.paid" in (await shell.run("workflows", "show", made["name"])).out
    assert "is inactive" in (await shell.run("workflows", "deactivate", made["name"])).out
    assert (await shell.run("workflows", "list", "--active", "--json")).json == {"items": []}


async def test_a_list_goes_on_over_pages(shell: Shell, user: User) -> None:
    """--limit is how many there are at most, not how many a page holds."""
    for number in range(3):
        await user.create(name=f"n{number}")
    found = await shell.run("workflows", "list", "--limit", "2", "--json")
    assert [one["name"] for one in found.json["items"]] == ["n2", "n1"]


async def test_a_workflow_is_tried(shell: Shell, user: User, tmp_path: Path) -> None:
    """A stored one and a file alike: verdicts with their reasons, and what would be sent."""
    made = await user.create()
    fits = await shell.run(
        "workflows", "test", made["id"], "--data", '{"order": {"total": 900}, "customer": {"id": "c"}}'
    )
    assert fits.code == 0, fits.err
    assert fits.out.startswith("outcome  success")
    assert "apply_tag" in fits.out
    file = tmp_path / "draft.json"
    file.write_text(json.dumps(draft()))
    other = await shell.run("workflows", "test", str(file), "--data", '{"order": {"total": 1}}', "--json")
    assert other.json["conditions_met"] is False


async def test_executions_are_listed_and_shown(shell: Shell, user: User, log: Log) -> None:
    """With their reasons; what an event holds cannot command the terminal that shows it."""
    made = await user.create()
    await log.add(made, entity="c\x1b[2J1", status="failed", error="no such host")
    listed = await shell.run("executions", "list", "--workflow", made["name"], "--status", "failed")
    assert "no such host" in listed.out
    assert "\x1b" not in listed.out
    (one,) = (await shell.run("executions", "list", "--workflow", made["id"], "--json")).json["items"]
    shown = await shell.run("executions", "show", one["id"])
    assert shown.code == 0, shown.err
    assert "failed" in shown.out
    assert "\x1b" not in shown.out


@pytest.mark.parametrize("command", ["retry", "cancel --yes", "show"])
async def test_what_is_not_there_ends_with_3(shell: Shell, command: str) -> None:
    """Of the caller's, that is: what is another's is not there either."""
    name, *options = command.split()
    done = await shell.run("executions", name, str(uuid4()), *options)
    assert done.code == 3
    assert "o such execution" in done.err


async def test_nothing_waits(shell: Shell) -> None:
    """An empty list says so on standard error, so that a program reads nothing."""
    done = await shell.run("executions", "waiting")
    assert (done.code, done.out, done.err) == (0, "", "Nothing waits\n")


async def test_the_queue_is_shown(shell: Shell) -> None:
    """To people in words, to programs as the API answers it."""
    assert "records that wait" in (await shell.run("queue")).out
    assert (await shell.run("queue", "--json")).json["counted"] == "own"


async def test_dead_letters_are_for_who_may_operate(
    shell: Shell, shell_of: Callable[[User], Shell], admin: User, log: Log
) -> None:
    """Others are told so, with exit code 4."""
    refused = await shell.run("dead-letters", "list")
    assert refused.code == 4
    number = await letter(log)
    operator = shell_of(admin)
    assert str(number) in (await operator.run("dead-letters", "list")).out
    assert "reason" in (await operator.run("dead-letters", "show", str(number))).out
    unasked = await operator.run("dead-letters", "discard", str(number))
    assert unasked.code == 2
    assert (await operator.run("dead-letters", "discard", str(number), "--yes")).code == 0
    again = await operator.run("dead-letters", "discard", str(number), "--yes")
    assert again.code == 6


async def test_keys_are_made_listed_and_revoked(shell_of: Callable[[User], Shell], admin: User) -> None:
    """The key is printed once, alone on its line; the list has its state and permissions, and never the key."""
    operator = shell_of(admin)
    name = f"shop-{uuid4()}"
    made = await operator.run("keys", "create", "--name", name, "--permission", "events:write")
    key = made.out.strip()
    assert key.startswith("hrk_")
    listed = await operator.run("keys", "list")
    (row,) = [line for line in listed.out.splitlines() if name in line]
    assert "in use" in row
    assert key not in listed.out
    assert (await operator.run("keys", "revoke", row.split()[0])).code == 2
    assert (await operator.run("keys", "revoke", row.split()[0], "--yes")).out == "Revoked\n"
    assert (await operator.run("keys", "revoke", row.split()[0], "--yes")).code == 3


async def test_a_template_is_applied(shell: Shell, user: User) -> None:
    """By its name, under another; the workflow is inactive, and the next step is printed."""
    name = f"Template {uuid4()}"
    made = await user.call("POST", "/api/v1/templates", _asking(name))
    assert made.status == 201, made
    assert name in (await shell.run("templates", "list", "--mine")).out
    applied = await shell.run("templates", "apply", name, "--name", "Mine", "--set", "tag=7")
    assert applied.code == 0, applied.err
    assert "headrace workflows activate" in applied.out
    (workflow,) = (await shell.run("workflows", "list", "--json")).json["items"]
    assert (workflow["name"], workflow["actions"][0]["config"]) == ("Mine", {"tag": "7"})
    assert "tag" in (await shell.run("templates", "show", name)).out


def _asking(name: str) -> dict[str, Any]:
    """A template that asks for a tag."""
    tag = {"name": "tag", "type": "text", "label": "Tag"}
    action = {"type": "apply_tag", "order": 1, "config": {"tag": "[[tag]]"}}
    return draft(name=name, actions=[action], placeholders=[tag])


async def test_who_is_not_let_in_hears_how_to_be(shell: Shell) -> None:
    """A token that is none, none at all, no API: each says what to do, in a line of its own, with its exit code."""
    wrong = await shell.run("workflows", "list", HEADRACE_API_TOKEN="no-token")
    assert wrong.code == 4
    assert "headrace token" in wrong.err
    without = await shell.run("workflows", "list", HEADRACE_API_TOKEN=None)
    assert without.code == 4
    assert "HEADRACE_API_TOKEN" in without.err
    nobody = await shell.run("workflows", "list", HEADRACE_API_URL=f"http://127.0.0.1:{pick_ports(1)[0]}")
    assert nobody.code == 5
    assert "make up" in nobody.err
    assert "HEADRACE_API_URL" in nobody.err
    nowhere = await shell.run("workflows", "list", HEADRACE_API_URL="localhost:8080")
    assert "should be like https://" in nowhere.err


async def test_an_event_that_never_came_is_not_found(shell_of: Callable[[User], Shell], admin: User) -> None:
    """Since when it was looked for is said; nothing is shown of the newest either, and a program gets no rows."""
    operator = shell_of(admin)
    sought = await operator.run("events", "show", "/shop", "never")
    assert sought.code == 3, sought.err
    assert "--since" in sought.err
    assert (await operator.run("events", "tail")).err == "No event\n"
    assert (await operator.run("events", "tail", "--json")).json["items"] == []
