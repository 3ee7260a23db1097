"""``headrace topics``: create Kafka's topics."""

import asyncio
import os
import signal
from typing import Final

import click

from app.actions.registry import REGISTRY
from app.adapters.kafka.admin import TopicReport, ensure_topics
from app.commands.preflight import need_kafka, settings_here
from app.commands.shape import Command
from app.processes.home import default_home
from app.processes.kafka_access import needed_commands
from app.processes.running import running_state
from app.topics import declare
from schemas.event_types import CUSTOM_GROUP, EVENT_GROUPS

RULE: Final = (
    f"Events: events.<first word of the type> for {', '.join(EVENT_GROUPS[:-1])} (message.* with conversation), "
    f"every other dotted type on events.{CUSTOM_GROUP}"
)


@click.command(cls=Command, epilog="HEADRACE_TOPIC_PREFIX=acme. headrace topics")
@click.option("--add-partitions", is_flag=True, help="Give topics that have fewer partitions than declared the rest.")
@click.option("--acls", is_flag=True, help="Print the commands that grant each role what it needs, and do nothing.")
@click.option(
    "--principal",
    default="User:headrace-{role}",
    show_default=True,
    help="With --acls: Kafka's name of a role's user.",
)
@click.option("--before-roles", is_flag=True, help="No role runs yet: leave out that they need a restart.")
def topics(*, add_partitions: bool, acls: bool, principal: str, before_roles: bool) -> None:
    """Create every topic that is missing, and say where the others differ from what is declared."""
    settings = settings_here()
    if acls:
        click.echo("\n".join(needed_commands(settings, principal)))
        return
    need_kafka(settings)
    report = asyncio.run(
        ensure_topics(
            settings.kafka_connection,
            declare(settings, REGISTRY.names()),
            replication_factor=settings.replication_factor,
            add_partitions=add_partitions,
        )
    )
    for line in report_lines(report):
        click.echo(line)
    if report.restart_needed and not before_roles:
        click.echo(_restart_roles())


def report_lines(report: TopicReport) -> list[str]:
    """Return what was found and done, a line each."""
    lines = [f"Topics: {report.total} declared, {len(report.created)} created, {len(report.grown)} got partitions"]
    lines += [f"Copies: {report.replication}", RULE]
    lines += [
        f"Warning: {name} has {there} of {declared} partitions; `headrace topics --add-partitions` adds them"
        for name, (there, declared) in report.short.items()
    ]
    return lines + [f"Warning: {line}" for line in report.differing]


def _restart_roles() -> str:
    state = running_state(default_home())
    if state is None or not state.get("ready"):
        return "Roles that run already must be restarted to see the new topics and partitions"
    os.kill(int(state["pid"]), signal.SIGHUP)
    return "The roles that run here are restarted, to see the new topics and partitions"
