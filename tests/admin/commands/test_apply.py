"""``headrace workflows apply``, ``diff`` and ``export``: what files say is what there is, after it was shown."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.admin.commands.conftest import Shell
from tests.admin.conftest import User, draft

pytestmark = pytest.mark.postgres

WELCOME = """\
# Greets who comes.
name: Welcome at 19:00
trigger:
  type: customer.created
conditions:
  - field: customer.email
    operator: contains
    value: "@"
actions:
  - order: 1
    type: apply_tag
    config:
      tag: yes
active: true
"""


def _file(folder: Path, text: str, name: str = "welcome.yaml") -> str:
    file = folder / name
    file.write_text(text)
    return str(file)


async def _workflows(user: User) -> list[dict[str, Any]]:
    return list((await user.call("GET", "/api/v1/workflows")).json["items"])


async def test_a_file_is_applied_once(shell: Shell, user: User, tmp_path: Path) -> None:
    """The plan is shown first; the second run changes nothing and says so; YAML's `yes` is a text."""
    file = _file(tmp_path, WELCOME)
    first = await shell.run("workflows", "apply", file, "--yes")
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines()[:-1] == [
        "+ create Welcome at 19:00",
        "    Starts with *customer.created*",
        "    Condition added: *customer email* contains “@”",
        "    Step 1 added: Put a tag on the customer, *Tag* “yes”",
        "    Switched on",
    ]
    assert first.out.splitlines()[-1] == "Applied: 1 workflow"
    (stored,) = await _workflows(user)
    assert stored["active"] is True
    assert stored["actions"][0]["config"] == {"tag": "yes"}
    again = await shell.run("workflows", "apply", file)
    assert (again.code, again.out.splitlines()[-1]) == (0, "Nothing to change")
    assert (await _workflows(user)) == [stored]


async def test_a_change_is_shown_in_words_and_goes_live(shell: Shell, user: User, tmp_path: Path) -> None:
    """`diff` and `--dry-run` say what `apply` does, and do nothing; an active workflow is changed at once."""
    await shell.run("workflows", "apply", _file(tmp_path, WELCOME), "--yes")
    changed = _file(tmp_path, WELCOME.replace("tag: yes", "tag: new") + "priority: 3\n")
    compared = await shell.run("workflows", "diff", changed)
    assert compared.code == 1
    assert compared.out.splitlines()[1:] == [
        "    Priority now 3 instead of 5",
        "    Step 1 (Put a tag on the customer): *Tag* now “new” instead of “yes”",
    ]
    (before,) = await _workflows(user)
    tried = await shell.run("workflows", "apply", changed, "--dry-run")
    assert (tried.code, tried.out.splitlines()[-1]) == (0, "1 workflow would change; nothing was done")
    assert (await _workflows(user))[0]["priority"] == 5
    assert (await shell.run("workflows", "apply", changed, "--yes")).code == 0
    (stored,) = await _workflows(user)
    assert (stored["priority"], stored["active"]) == (3, True)
    assert stored["actions"][0]["config"] == {"tag": "new"}
    assert (await shell.run("workflows", "diff", changed)).code == 0
    versions = await shell.run("workflows", "diff", stored["id"], "--from", str(before["version"]))
    assert [f"    {line}" for line in versions.out.splitlines()] == compared.out.splitlines()[1:]


async def test_one_mistake_applies_nothing(shell: Shell, user: User, tmp_path: Path) -> None:
    """Every wrong field of every file is named with its line; the right file beside them is not applied either."""
    wrong = _file(
        tmp_path,
        WELCOME.replace("Welcome", "Hello").replace("contains", "is").replace("apply_tag", "tga"),
        "wrong.yaml",
    )
    other = _file(tmp_path, json.dumps(draft(priority=17), indent=1), "other.json")
    done = await shell.run("workflows", "apply", _file(tmp_path, WELCOME), wrong, other, "--yes")
    assert done.code == 2
    assert f"{wrong}:7: conditions[0]" in done.err
    assert f"{wrong}:11: actions[0].type: " in done.err
    assert f"{other}:" in done.err
    assert "priority: " in done.err
    assert "3 things are wrong; nothing was changed" in done.err
    assert await _workflows(user) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nname: b\n", "wrong.yaml:2: says name twice"),
        ("name: [a\n", "is no YAML"),
        ("- 1\n", "holds something that is no workflow"),
        ("", "holds no workflow"),
        ("name: !!binary aGk=\n", "wrong.yaml:1: has 'aGk=' marked as"),
        ("name: A\nactive: 1\n", "wrong.yaml:2: active: must be true or false"),
    ],
)
async def test_a_file_that_is_none_is_named_with_its_line(shell: Shell, tmp_path: Path, text: str, said: str) -> None:
    """Exit code 2, and nothing is asked for."""
    done = await shell.run("workflows", "apply", _file(tmp_path, text, "wrong.yaml"), "--yes")
    assert done.code == 2
    assert said in done.err


async def test_without_a_terminal_nothing_is_done_unasked(shell: Shell, user: User, tmp_path: Path) -> None:
    """Where nobody can be asked, --yes has to be said."""
    done = await shell.run("workflows", "apply", _file(tmp_path, WELCOME))
    assert done.code == 2
    assert "--yes" in done.err
    assert await _workflows(user) == []


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["yaml", "json"])
async def test_what_is_exported_can_be_applied(
    shell: Shell, user: User, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """An export changes nothing where it came from; a name changed in it renames, since the id says which is meant."""
    first = await user.create(name="One", description="two\nlines", reentry="once per 7 days")
    await user.create(name="Two: 19:00", actions=[{"type": "delay", "order": 1, "config": {"duration": "3 days"}}])
    exported = await shell.run("workflows", "export", *options)
    unchanged = await shell.run("workflows", "apply", _file(tmp_path, exported.out, "all"))
    assert (unchanged.code, unchanged.out.splitlines()[-1]) == (0, "Nothing to change")
    renamed = await shell.run("workflows", "apply", "-", "--yes", stdin=exported.out.replace("One", "Three"))
    assert renamed.code == 0, renamed.err
    assert (await user.call("GET", f"/api/v1/workflows/{first['id']}")).json["name"] == "Three"
    assert len(await _workflows(user)) == 2


async def test_a_name_that_several_have_is_no_name(shell: Shell, user: User, tmp_path: Path) -> None:
    """Which one is meant has to be said by its id; so has what stands in two files."""
    ids = {(await user.create(name="Welcome at 19:00"))["id"] for _ in range(2)}
    done = await shell.run("workflows", "apply", _file(tmp_path, WELCOME), "--yes")
    assert done.code == 2
    assert all(one in done.err for one in ids)
    shown = await shell.run("workflows", "show", "Welcome at 19:00")
    assert shown.code == 2
    one = WELCOME.replace("at 19", "at 20")
    twice = await shell.run("workflows", "apply", "-", "--yes", stdin=f"{one}---\n{one}")
    assert "is in -:2 already" in twice.err


async def test_a_plan_for_programs(shell: Shell, tmp_path: Path) -> None:
    """--json says what would be done and what was, as one object; errors are one on standard error."""
    file = _file(tmp_path, WELCOME)
    planned = await shell.run("workflows", "apply", file, "--dry-run", "--json")
    assert planned.json["applied"] is False
    assert [(one["name"], one["action"]) for one in planned.json["workflows"]] == [("Welcome at 19:00", "create")]
    assert (await shell.run("workflows", "apply", file, "--yes", "--json")).json["applied"] is True
    wrong = await shell.run("workflows", "apply", _file(tmp_path, "name: A\n"), "--yes", "--json")
    told = json.loads(wrong.err)
    assert (wrong.code, told["exit_code"]) == (2, 2)
    assert any("trigger" in one["path"] for one in told["errors"])
