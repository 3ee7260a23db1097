"""``make commands``: writes what `--help` says of every command into docs/cli.md, between its marks."""

import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Final

import click

from app.commands.catalogue import GROUPS

PAGE: Final = Path(__file__).parents[2] / "docs/cli.md"
BEGIN: Final = "<!-- commands:begin, written by `make commands` -->\n"
END: Final = "<!-- commands:end -->\n"
_HELP: Final = "--help"


def page(text: str) -> str:
    """Return the page with what it says of the commands brought up to date."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{reference()}\n{END}{after}"


def reference() -> str:
    """Return what is said of every command, in groups as they are listed."""
    parts = []
    for title, members in GROUPS.items():
        parts.append(f"### {title}")
        parts += [part for named in members for part in _command(named.load(), named.name, None)]
    return "\n\n".join(parts) + "\n"


def _command(command: click.Command, name: str, above: click.Context | None) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=above)
    path = f"headrace {context.command_path}"
    yield f"#### {path}"
    yield cleandoc((command.help or "").replace("\b\n", ""))
    options = list(_options(command, context))
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    yield "\n".join(["```text", usage, *(["", *options] if options else []), "```"])
    yield "\n".join(["```sh", *(command.epilog or "").splitlines(), "```"])
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                yield from _command(found, below, context)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield a line for each option, in two columns."""
    records = [param.get_help_record(context) for param in command.get_params(context)]
    told = [record for record in records if record is not None and _HELP not in record[0]]
    width = max((len(names) for names, _ in told), default=0)
    yield from (f"{names:<{width}}  {' '.join(says.split())}".rstrip() for names, says in told)


def main() -> None:
    """Write it."""
    PAGE.write_text(page(PAGE.read_text()))
    sys.stdout.write("The commands in docs/cli.md are current\n")


if __name__ == "__main__":
    main()
