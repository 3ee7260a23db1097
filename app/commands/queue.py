"""``headrace queue``: how the installation keeps up."""

from typing import Any

import click

from app.commands.api_client import api_here, path_of
from app.commands.shape import Command
from app.commands.showing import Column, clean, heading, json_option, moment, show_fields, show_json, show_table

_COLUMNS = (Column("ROLE"), Column("TOPIC", 16, 1), Column("LANE", 0, 2), Column("WAITING"))


@click.command(cls=Command, epilog="headrace queue --json | jq .depth")
@json_option
def queue(*, as_json: bool) -> None:
    """Show what waits, by role and lane: records, executions, the outbox; and what has failed."""
    found = api_here().call("GET", path_of("queue"))
    if as_json:
        show_json(found)
        return
    show_fields({_NAMES.get(name, name.replace("_", " ")): _plain(name, value) for name, value in _scalars(found)})
    for name in ("breakers", "set_aside"):
        if found.get(name):
            heading(name.replace("_", " ").capitalize())
            for one in found[name]:
                click.echo("  ".join(f"{key.replace('_', ' ')} {clean(value)}" for key, value in one.items()))
    heading("Records that wait")
    show_table(_COLUMNS, list(_rows(found["roles"])), empty="None: every role has caught up")


# In the order in which people ask.
_NAMES = {
    "depth": "records that wait",
    "outbox": "outbox",
    "outbox_oldest_s": "oldest in the outbox",
    "parked": "parked",
    "failed_executions": "failed executions",
    "failed_actions": "failed actions",
    "dead_letters": "dead letters",
    "counted": "counted for",
    "as_of": "as of",
}


def _scalars(found: dict[str, Any]) -> list[tuple[str, Any]]:
    names = [*(name for name in _NAMES if name in found), *(name for name in found if name not in _NAMES)]
    return [(name, found[name]) for name in names if name not in {"roles", "breakers", "set_aside"}]


def _plain(name: str, value: Any) -> Any:
    if name == "as_of":
        return f"{moment(value)} UTC"
    if name.endswith("_s") and isinstance(value, int | float):
        return f"{value:,.1f} s"
    if isinstance(value, dict):
        return ", ".join(f"{one:,} {key}" for key, one in value.items()) or "none"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value


def _rows(roles: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    return [
        (role["role"], topic["topic"], topic["lane"], f"{topic['depth']:,}")
        for role in roles
        for topic in role["topics"]
    ]
