"""What is said of the commands: the list, `--help`, docs/cli.md."""

from collections.abc import Iterator
from typing import Final

import click
import pytest
from click.testing import CliRunner

from app.cli import main
from app.commands.catalogue import COMMANDS, GROUPS
from app.commands.reference import PAGE, page
from app.settings.reference import ROLES, readers

_NARROW: Final = 80


def _paths(command: click.Command, *above: str) -> Iterator[tuple[str, ...]]:
    yield above
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _paths(found, *above, name)


PATHS: Final = list(_paths(main))


def test_the_page_is_current() -> None:
    """`make commands` was run after the last change of what a command takes or says."""
    assert PAGE.read_text() == page(PAGE.read_text()), "run `make commands`"


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_fits_a_narrow_terminal(path: tuple[str, ...]) -> None:
    """Each command and sub-command says what it does, whole, and ends with examples that are pasted as they stand."""
    shown = CliRunner().invoke(main, [*path, "--help"], terminal_width=_NARROW, prog_name="headrace")
    assert shown.exit_code == 0
    _usage, *lines = shown.output.splitlines()
    assert [line for line in lines if len(line) > _NARROW or line.endswith("...")] == []
    heading, _, examples = shown.output.rpartition("Example")
    assert heading
    assert "headrace " in examples


def test_the_list_has_every_command_once() -> None:
    """Each can be loaded, and goes by the name that the list has."""
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)
    assert [command.load().name for command in COMMANDS] == [command.name for command in COMMANDS]
    assert {path[0] for path in PATHS if path} == {command.name for command in COMMANDS}
    assert all(command.says.endswith(".") for members in GROUPS.values() for command in members)


def test_who_reads_a_setting_is_a_role_or_a_command() -> None:
    """A module that commands share is none."""
    named = {who.removeprefix("`headrace ").removesuffix("`") for found in readers().values() for who in found}
    assert named - ROLES.keys() <= {command.name for command in COMMANDS}
