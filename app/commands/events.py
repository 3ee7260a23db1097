"""``headrace events``: what came in, and what became of it for every workflow."""

import time
from contextlib import suppress
from typing import Any, NoReturn

import click

from app.commands.api_client import ApiClient, api_here, path_of
from app.commands.exit_codes import ExitCode
from app.commands.shape import Group
from app.commands.showing import Column, heading, json_option, moment, show_fields, show_json, show_table
from app.domain.errors import SetupError

_COLUMNS = (
    Column("RECEIVED (UTC)", 0, 2),
    Column("TYPE", 8, 1),
    Column("SOURCE"),
    Column("ID"),
    Column("ENTITY", 8, 3),
    Column("BECAME", 8),
)
_VERDICTS = (Column("WORKFLOW", 12, wraps=True), Column("VERDICT"), Column("EXECUTION"), Column("WHY", 12, wraps=True))
_LOOK_EVERY_S = 2.0


class NoEventError(SetupError):
    """No such event came since then; the text says since when, and how to look further back."""

    exit_code = ExitCode.NOT_FOUND


@click.group(cls=Group, epilog="headrace events tail --type order.paid\nheadrace events show /shop order-17-paid")
def events() -> None:
    """Look at events: what came in, and what became of it."""


@events.command(epilog="headrace events tail --type order.paid --follow")
@click.option("--type", "event_type", help="Only events of this type.")
@click.option("--entity", help="Only those about this entity.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="At most.")
@click.option("--follow", "-f", is_flag=True, help="Go on with those that come, until Ctrl-C.")
@json_option
def tail(event_type: str | None, entity: str | None, limit: int, *, follow: bool, as_json: bool) -> None:
    """Show the newest events of the topics, the newest last, with what workflows made of them."""
    api = api_here()
    query = {"type": event_type, "entity": entity, "limit": limit}
    if not follow:
        answer = api.call("GET", path_of("events"), query=query)
        if as_json:
            show_json(answer)
        else:
            _show(answer)
        return
    with suppress(KeyboardInterrupt):  # the way out
        _follow(api, query, as_json=as_json)


@events.command(epilog="headrace events show /shop order-17-paid --since 2026-03-01T00:00:00Z")
@click.argument("source")
@click.argument("event_id", metavar="ID")
@click.option("--since", help="Look from this time on; by default one day back.")
@click.option("--entity", help="Whom it is about, so that it is found sooner.")
@json_option
def show(source: str, event_id: str, since: str | None, entity: str | None, *, as_json: bool) -> None:
    """Find the event of SOURCE with ID in the topics, and say what became of it for every workflow of its type."""
    query = {"source": source, "id": event_id, "since": since, "entity": entity}
    answer = _looked_up(api_here(), query)
    if as_json:
        show_json(answer)
    elif answer["event"] is not None:
        _show_one(answer["event"])
    if answer["outcome"] != "found":
        raise NoEventError(f"{answer['said'].rstrip('.')}; --since looks further back")


def _looked_up(api: ApiClient, query: dict[str, str | None]) -> dict[str, Any]:
    """Look until the topics are read to their end: one look of the API's is bounded."""
    cursor = None
    while True:
        answer = api.call("GET", path_of("events", "lookup"), query={**query, "cursor": cursor})
        cursor = answer["next_cursor"]
        if answer["outcome"] != "unfinished" or cursor is None:
            return answer
        click.echo(f"Looked through {answer['partitions_done']} of {answer['partitions']} partitions", err=True)


def _show(answer: dict[str, Any]) -> None:
    show_table(_COLUMNS, [_row(one) for one in reversed(answer["items"])], empty="No event")
    if not answer["complete"]:
        click.echo("There may be others: one look reads only so far", err=True)


def _follow(api: ApiClient, query: dict[str, Any], *, as_json: bool) -> NoReturn:
    """Show those that come, below one heading."""
    seen: set[tuple[str, int, int]] = set()
    headed = True
    while True:
        items = api.call("GET", path_of("events"), query=query)["items"]
        fresh = [one for one in reversed(items) if _place(one) not in seen]
        seen = {_place(one) for one in items}
        if as_json:
            for one in fresh:
                show_json(one)
        elif fresh:
            show_table(_COLUMNS, [_row(one) for one in fresh], empty="", headed=headed)
            headed = False
        time.sleep(_LOOK_EVERY_S)


def _place(one: dict[str, Any]) -> tuple[str, int, int]:
    return (one["topic"], one["partition"], one["offset"])


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (moment(one["received_at"]), one["type"], one["source"], one["id"], one["entity"], _became(one))


def _became(one: dict[str, Any]) -> str:
    """Say how many workflows made what of it, in the order of the report."""
    counts: dict[str, int] = {}
    for workflow in one["workflows"]:
        word = workflow["verdict"].replace("_", " ")
        counts[word] = counts.get(word, 0) + 1
    told = ", ".join(f"{word} ({count})" for word, count in counts.items())
    if one["workflows_left_out"]:
        told += f", and {one['workflows_left_out']} workflows that are not looked at"
    if not told and one["fate"] == "read":
        return "no workflow of its type"
    return told or one.get("reason") or one["fate"].replace("_", " ")


def _show_one(one: dict[str, Any]) -> None:
    show_fields(
        {
            "id": one["id"],
            "source": one["source"],
            "type": one["type"],
            "entity": one["entity"],
            "received (UTC)": moment(one["received_at"]),
            "topic": f"{one['topic']}, partition {one['partition']}, offset {one['offset']}",
            "fate": one["fate"].replace("_", " "),
            "reason": one.get("reason"),
        }
    )
    heading("Workflows")
    rows = [
        (each["workflow_name"], each["verdict"].replace("_", " "), each.get("execution_id"), each["why"])
        for each in one["workflows"]
    ]
    show_table(_VERDICTS, rows, empty="No workflow of its type")
    if one["workflows_left_out"]:
        click.echo(
            f"{one['workflows_left_out']} more are not looked at: each owner sees theirs, and "
            "`headrace executions list --event-id ID --workflow WORKFLOW` what is logged of one",
            err=True,
        )
    heading("Event")
    if one["event"] is None and one["type"] is not None:
        click.echo(f"Not shown here: it has {one['size']:,} bytes. It is in its topic, and in the executions of it")
    else:
        show_json(one["event"])
