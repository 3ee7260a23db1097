"""The ``headrace`` command: a group that loads each command's module only when it is asked for."""

import json
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import IO, Any, Final

import click

from app.domain.errors import HeadraceError

# Imported by name: the matcher's process has no use for the demo's modules, nor `token` for Kafka's. In groups, as they
# are listed; within one, in the order of first use.
GROUPS: Final = {
    "Here": (
        ("up", "app.commands.up", "up"),
        ("down", "app.commands.up", "down"),
        ("dev", "app.commands.dev", "dev"),
    ),
    "Workflows, through the API": (
        ("workflows", "app.commands.workflows", "workflows"),
        ("templates", "app.commands.templates", "templates"),
        ("executions", "app.commands.executions", "executions"),
        ("dead-letters", "app.commands.dead_letters", "dead_letters"),
        ("queue", "app.commands.queue", "queue"),
    ),
    "Events": (
        ("emit", "app.commands.emit", "emit"),
        ("events", "app.commands.events", "events"),
        ("sources", "app.commands.sources", "sources"),
    ),
    "Access": (
        ("token", "app.commands.token", "token"),
        ("users", "app.commands.users", "users"),
        ("keys", "app.commands.keys", "keys"),
        ("secrets", "app.commands.secrets", "secrets"),
    ),
    "An installation": (
        ("migrate", "app.commands.migrate", "migrate"),
        ("database-users", "app.commands.database_users", "database_users"),
        ("topics", "app.commands.topics", "topics"),
        ("check", "app.commands.check", "check"),
        ("worker", "app.commands.worker", "worker"),
        ("admin", "app.commands.admin", "admin"),
        ("status", "app.commands.status", "status"),
        ("logs", "app.commands.logs", "logs"),
        ("healthcheck", "app.commands.healthcheck", "healthcheck"),
    ),
}
COMMANDS: Final = tuple(command for group in GROUPS.values() for command in group)
# They start what stands in app/embedded, which an image for production does not have.
EMBEDDED: Final = frozenset({"up", "down"})


def commands() -> tuple[tuple[str, str, str], ...]:
    """Return the commands that this installation has."""
    whole = find_spec("app.embedded") is not None
    return tuple(command for command in COMMANDS if whole or command[0] not in EMBEDDED)


class SaidError(click.ClickException):
    """One of our own errors: a message for people, or with ``--json`` an object on standard error."""

    def __init__(self, error: HeadraceError, *, as_json: bool) -> None:
        super().__init__(str(error))
        self.exit_code = error.exit_code
        self._error = error
        self._as_json = as_json

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it."""
        if not self._as_json:
            super().show(file)
            return
        wrong = [{"path": one.path, "message": one.message} for one in getattr(self._error, "errors", [])]
        status = getattr(self._error, "status", None)
        told = {"error": self.message, "exit_code": int(self.exit_code), "status": status, "errors": wrong}
        click.echo(json.dumps(told, ensure_ascii=False), err=True)


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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands in their groups, each with the whole first sentence of its help."""
        there = {name for name, _, _ in commands()}
        for title, members in GROUPS.items():
            names = [name for name, _, _ in members if name in there]
            found = [(name, self.get_command(ctx, name)) for name in names]
            rows = [(name, command.get_short_help_str(limit=200)) for name, command in found if command is not None]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows, col_max=16)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command.

        Raises:
            click.ClickException: One of our own errors, as one message.
        """
        try:
            return super().invoke(ctx)
        except HeadraceError as error:
            raise SaidError(error, as_json=_wants_json(ctx)) from None
        except PermissionError as error:
            raise click.ClickException(
                f"no permission for {error.filename}; another user made it: run as that user, or set HEADRACE_HOME"
            ) from None


def _wants_json(ctx: click.Context) -> bool:
    """Tell whether ``--json`` was given, without loading what only the commands that have it use."""
    return bool(ctx.find_root().meta.get("headrace.json"))


@click.group(
    cls=Headrace,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Example:
  headrace up                             start everything here, with a demo
  headrace workflows apply welcome.yaml   make what a file says, or bring it up to date
  headrace emit --type order.created --subject ada --data '{"order": {"total": 250}}'
  headrace executions list                what came of it, and why""",
)
@click.version_option(package_name="headrace")
def main() -> None:
    """Dependable business automation on Kafka: when this happens, if these conditions hold, do that.

    Commands that go through the API find the one that runs here, or that of HEADRACE_API_URL with HEADRACE_API_TOKEN.
    """


if __name__ == "__main__":
    sys.exit(main())
