"""``headrace workflows apply`` where not all goes well, and where little is to be done."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.admin.commands.conftest import Shell
from tests.admin.commands.test_apply import WELCOME
from tests.admin.conftest import User
from tests.admin.test_cancelling import a_command, wait, waiting
from tests.admin.test_workflows import address

pytestmark = pytest.mark.postgres
UNFIT = """\
name: Second
active: true
trigger: {type: order.paid}
actions:
  - {order: 1, type: webhook, config: {url: "https://x.example/{{ secrets.NO_SUCH }}"}}
"""


def _file(folder: Path, text: str) -> str:
    file = folder / f"{uuid4().hex}.yaml"
    file.write_text(text)
    return str(file)


async def _there(user: User) -> list[dict[str, Any]]:
    return list((await user.call("GET", "/api/v1/workflows", params={"sort": "created_at"})).json["items"])


async def test_where_one_is_refused_it_is_said_what_was_done_before(shell: Shell, user: User, tmp_path: Path) -> None:
    """What the API refuses only when it is asked to: what went before stays done, what follows is not tried."""
    files = [_file(tmp_path, text) for text in (WELCOME, UNFIT, WELCOME.replace("Welcome at 19:00", "Third"))]
    said = await shell.run("workflows", "apply", *files, "--yes")
    assert said.code != 0
    assert "secrets.NO_SUCH" in said.err
    assert "done before: Welcome at 19:00; not tried after it: 1" in said.err
    assert [(one["name"], one["active"]) for one in await _there(user)] == [
        ("Welcome at 19:00", True),
        ("Second", False),
    ]


async def test_what_is_only_switched_is_not_written_again(
    shell: Shell, user: User, api_database: str, tmp_path: Path
) -> None:
    """One version more; and of what waits becomes what --waiting says."""
    await shell.run("workflows", "apply", _file(tmp_path, WELCOME), "--yes")
    (before,) = await _there(user)
    await wait(api_database, a_command(UUID(before["id"])), "delay")
    off = _file(tmp_path, WELCOME.replace("active: true", "active: false"))
    said = await shell.run("workflows", "apply", off, "--yes", "--waiting", "cancel")
    assert (said.code, said.err) == (0, "")
    (after,) = await _there(user)
    assert (after["active"], after["version"]) == (False, before["version"] + 1)
    assert await waiting(user, UUID(before["id"])) == 0


async def test_a_draft_that_the_file_passes_over_is_told(shell: Shell, user: User, tmp_path: Path) -> None:
    """Somebody may be at work on it."""
    await shell.run("workflows", "apply", _file(tmp_path, WELCOME), "--yes")
    (there,) = await _there(user)
    changed = _file(tmp_path, f"{WELCOME}priority: 3\n")
    assert "has a draft" not in (await shell.run("workflows", "apply", changed, "--dry-run")).out
    await user.call("PATCH", address(there), {"priority": 4}, headers={"If-Match": "*"})
    assert "has a draft" in (await shell.run("workflows", "apply", changed, "--dry-run")).out


async def test_a_file_of_another_installation_is_found_again_by_its_name(
    shell: Shell, user: User, tmp_path: Path
) -> None:
    """Its id is not known here: the first run makes the workflow, the second finds it."""
    file = _file(tmp_path, f"id: {uuid4()}\n{WELCOME}")
    assert (await shell.run("workflows", "apply", file, "--yes")).code == 0
    again = await shell.run("workflows", "apply", file, "--yes")
    assert (again.code, again.out.splitlines()[-1]) == (0, "Nothing to change")
    assert len(await _there(user)) == 1


async def test_a_field_that_is_missing_is_told_where_it_would_stand(shell: Shell, tmp_path: Path) -> None:
    """By the line of what is nearest around it."""
    file = _file(tmp_path, WELCOME.replace("      tag: yes\n", "      tags: yes\n"))
    said = await shell.run("workflows", "apply", file, "--yes")
    line = 1 + WELCOME.splitlines().index("    config:")
    assert f"{file}:{line}: actions[0].config.tag: " in said.err
