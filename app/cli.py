"""The ``headrace`` command: a group that loads each command's module only when it is asked for."""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import click

from app.domain.errors import HeadraceError

# Imported by name: the matcher's process has no use for the demo's modules, nor `token` for Kafka's.
COMMANDS: Final = (
    ("up", "app.commands.up", "up"),
    ("down", "app.commands.up", "down"),
    ("worker", "app.commands.worker", "worker"),
    ("admin", "app.commands.admin", "admin"),
    ("migrate", "app.commands.migrate", "migrate"),
    ("database-users", "app.commands.database_users", "database_users"),
    ("check", "app.commands.check", "check"),
    ("status", "app.commands.status", "status"),
    ("topics", "app.commands.topics", "topics"),
    ("templates", "app.commands.templates", "templates"),
    ("emit", "app.commands.emit", "emit"),
    ("sources", "app.commands.sources", "sources"),
    ("logs", "app.commands.logs", "logs"),
    ("token", "app.commands.token", "token"),
    ("keys", "app.commands.keys", "keys"),
    ("secrets", "app.commands.secrets", "secrets"),
    ("healthcheck", "app.commands.healthcheck", "healthcheck"),
    ("dev", "app.commands.dev", "dev"),
)
# They start what stands in app/embedded, which an image for production does not have.
EMBEDDED: Final = frozenset({"up", "down"})


def commands() -> tuple[tuple[str, str, str], ...]:
    """Return the commands that this installation has."""
    whole = find_spec("app.embedded") is not None
    return tuple(command for command in COMMANDS if whole or command[0] not in EMBEDDED)


class Headrace(click.Group):
    """Finds commands in ``commands()``, and turns our own errors into one line and exit code 1."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as the process that this is: with its logging set up. Whoever calls ``main`` has their own."""
        named = sys.argv[1] if len(sys.argv) > 1 else ""
        if any(named == name for name, _, _ in COMMANDS):
            from app.processes.logs import log_command  # noqa: PLC0415 - `--help` and a misspelt name need none

            log_command(named)
        return super().__call__(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order above, which is the order of first use."""
        del ctx
        return [name for name, _, _ in commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        for name, module, attribute in commands():
            if name == cmd_name:
                found: click.Command = getattr(import_module(module), attribute)
                return found
        return None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command.

        Raises:
            click.ClickException: One of our own errors, as one message.
        """
        try:
            return super().invoke(ctx)
        except HeadraceError as error:
            said = click.ClickException(str(error))
            said.exit_code = error.exit_code
            raise said from None
        except PermissionError as error:
            raise click.ClickException(
                f"no permission for {error.filename}; another user made it: run as that user, or set HEADRACE_HOME"
            ) from None


@click.group(cls=Headrace, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="headrace")
def main() -> None:
    r"""Business automation on Kafka.

    \b
    Example:
      headrace up                          start everything here, with a demo
      headrace emit --type order.created --subject customer-1 --data '{"order": {"total": 250}}'
    """


if __name__ == "__main__":
    sys.exit(main())
