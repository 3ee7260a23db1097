"""Every command of ``headrace``: in groups as they are listed; within one, in the order of first use.

What the list says of each stands here, so that neither ``--help`` nor a shell that completes a name loads them all,
which takes two seconds. A command is loaded when it is called: the matcher's process has no use for the demo's modules,
nor ``token`` for Kafka's.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Final, NamedTuple

import click

_ELSEWHERE: Final = {"down": "up"}


class Named(NamedTuple):
    """A command.

    Attributes:
        name: What it is called by.
        says: What the list says of it, in one line of a terminal of 80 columns.
    """

    name: str
    says: str

    def load(self) -> click.Command:
        """Import it."""
        attribute = self.name.replace("-", "_")
        module = import_module(f"app.commands.{_ELSEWHERE.get(attribute, attribute)}")
        found: click.Command = getattr(module, attribute)
        return found


GROUPS: Final = {
    "Here": (
        Named("up", "Start everything here, with a demo, and keep it running."),
        Named("down", "Stop what `up` started here; data is kept."),
        Named("dev", "Look at what runs here: addresses, pids, a token."),
    ),
    "Workflows, through the API": (
        Named("workflows", "List, show, apply, compare, export, switch and try them."),
        Named("templates", "List, show and apply templates; store the built-in ones."),
        Named("executions", "List, show, retry and cancel what ran, or waits."),
        Named("dead-letters", "List, show, replay and discard what could not be processed."),
        Named("queue", "Show what waits, by role and lane, and what has failed."),
    ),
    "Events": (
        Named("emit", "Emit one event, or those of a file."),
        Named("events", "Look at events: what came in, and what became of it."),
        Named("sources", "Look at your own topics that become events."),
    ),
    "Access": (
        Named("token", "Print a bearer token for the API."),
        Named("users", "Make, list and disable people who sign in."),
        Named("keys", "Make, list, rotate and revoke API keys of services."),
        Named("secrets", "Make keys for the secret store, and change them."),
    ),
    "An installation": (
        Named("migrate", "Bring the database to the current schema."),
        Named("database-users", "Make a database user for each role."),
        Named("topics", "Create Kafka's topics; print the ACLs that roles need."),
        Named("check", "Check that the installation, or one role, could start."),
        Named("worker", "Run one role."),
        Named("admin", "Serve the API."),
        Named("prove", "Prove that nothing is lost or done twice, by load and recount."),
        Named("status", "Show every process: ready or why not, restarts, lag."),
        Named("logs", "Keep the execution log in order: archive what is old."),
        Named("healthcheck", "Ask the process of this container how it is."),
    ),
}
COMMANDS: Final = tuple(command for group in GROUPS.values() for command in group)
# They start what stands in app/embedded, which an image for production does not have.
EMBEDDED: Final = frozenset({"up", "down"})
# They call the API and nothing else: they need no settings, and log nothing.
OVER_THE_API: Final = frozenset({"workflows", "executions", "dead-letters", "queue", "events", "keys", "prove"})


def commands() -> tuple[Named, ...]:
    """Return the commands that this installation has."""
    whole = find_spec("app.embedded") is not None
    return tuple(command for command in COMMANDS if whole or command.name not in EMBEDDED)
