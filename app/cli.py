"""The ``headrace`` command: a group that loads each command's module only when it is asked for."""

import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

from app.commands.catalogue import COMMANDS, GROUPS, OVER_THE_API, commands
from app.commands.endings import ended, told
from app.commands.shape import Group

_WIDEST = max(len(command.name) for command in COMMANDS)


class Headrace(Group):
    """Finds commands in ``commands()``, and has all that goes wrong in them end as docs/cli.md says."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as the process that this is: with its logging set up. Whoever calls ``main`` has their own."""
        named = sys.argv[1] if len(sys.argv) > 1 else ""
        if any(named == command.name for command in COMMANDS) and named not in OVER_THE_API:
            from app.processes.logs import log_command  # noqa: PLC0415 - `--help` and a misspelt name need none

            log_command(named)
        run = super().__call__
        return ended(lambda: run(*args, **kwargs))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the catalogue, which is the order of first use."""
        del ctx
        return [command.name for command in commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        return next((command.load() for command in commands() if command.name == cmd_name), None)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands in their groups, a line each."""
        del ctx
        there = commands()
        for title, members in GROUPS.items():
            rows = [(command.name, command.says) for command in members if command in there]
            if rows:
                with formatter.section(title):
                    # Two columns that are the same in every group.
                    formatter.write_dl([(f"{name:<{_WIDEST}}", says) for name, says in rows])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return what may be meant, without loading any command."""
        found = [command for command in commands() if command.name.startswith(incomplete)]
        items = [CompletionItem(command.name, help=command.says) for command in found]
        return items + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command.

        Raises:
            click.ClickException: What went wrong, as one message.
        """
        with told(lambda: _wants_json(ctx)):
            return super().invoke(ctx)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the command line, which prints ``--help`` too. Raises as ``invoke``."""
        with told(lambda: False):
            return super().make_context(*args, **kwargs)


def _wants_json(ctx: click.Context) -> bool:
    """Tell whether ``--json`` was given, without loading what only the commands that have it use."""
    return bool(ctx.find_root().meta.get("headrace.json"))


@click.group(
    cls=Headrace,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\
headrace up                             # start everything here, with a demo
headrace workflows apply welcome.yaml   # make what a file says, or update it
headrace emit --type order.created --data '{"order": {"total": 250}}'
headrace executions list                # what came of it, and why""",
)
@click.version_option(package_name="headrace")
def main() -> None:
    """Dependable business automation on Kafka: when this happens, if these conditions hold, do that.

    Commands that go through the API find the one that runs here, or that of HEADRACE_API_URL with HEADRACE_API_TOKEN.
    """


if __name__ == "__main__":
    sys.exit(main())
