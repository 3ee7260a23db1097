"""How every command's help looks: commands in the order of first use, with all that is said of each, and examples.

What stands as a command's ``epilog`` are examples, one a line, which are never wrapped: they are pasted.
"""

from difflib import get_close_matches

import click
from typing_extensions import override


class _Shaped(click.Command):
    """Ends its help with its examples."""

    @override
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each in a line of its own, as it is pasted."""
        del ctx
        examples = (self.epilog or "").splitlines()
        if not examples:
            return
        formatter.write_paragraph()
        formatter.write("Example:\n" if len(examples) == 1 else "Examples:\n")
        for example in examples:
            formatter.write(f"  {example}\n")


class Command(_Shaped):
    """A command."""


class Group(_Shaped, click.Group):
    """A command of commands."""

    command_class = Command

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names as they are made, which is the order of first use."""
        del ctx
        return list(self.commands)

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant.

        Raises:
            click.UsageError: There is none; the nearest one is named.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], self.list_commands(ctx), 1)
            if near:
                error.message = f"{error.message} Did you mean {near[0]}?"
            raise

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands, each with the whole first sentence of its help."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(limit=200)) for name, command in found if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
