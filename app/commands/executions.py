"""``headrace executions``: what ran, what did not and why; retry, wait, cancel."""

from typing import Any

import click

from app.commands.api_client import api_here, path_of
from app.commands.references import one_called
from app.commands.shape import Group
from app.commands.showing import (
    Column,
    clean,
    confirmed,
    heading,
    json_option,
    moment,
    show_fields,
    show_json,
    show_table,
    took,
)
from app.commands.verdicts import show_verdicts

_COLUMNS = (
    Column("ID"),
    Column("STATUS"),
    Column("MATCHED (UTC)"),
    Column("WORKFLOW", 12),
    Column("EVENT", 12, 1),
    Column("ENTITY", 8, 2),
    Column("TOOK", 0, 3),
    Column("ERROR", 20, 4),
)
_WAITING = (
    Column("ID"),
    Column("GOES ON (UTC)"),
    Column("WORKFLOW", 12),
    Column("ENTITY", 8, 1),
    Column("STEP", 0, 3),
    Column("WAITS FOR", 20, 2),
)
_RESULTS = (
    Column("STEP"),
    Column("ACTION", 10),
    Column("STATUS"),
    Column("ATTEMPTS", 0, 2),
    Column("TOOK", 0, 1),
    Column("OUTPUT, OR ERROR", 24, wraps=True),
)


@click.group(cls=Group, epilog="headrace executions list --status failed\nheadrace executions waiting")
def executions() -> None:
    """List, show, retry and cancel executions."""


@executions.command("list", epilog="headrace executions list --workflow Welcome --status failed --limit 20")
@click.option("--workflow", help="Only this workflow's, by id or name.")
@click.option("--status", multiple=True, help="Only those that ended so: success, failed ...; may be given again.")
@click.option("--from", "since", help="Only those matched from this time on: 2026-03-01T00:00:00Z.")
@click.option("--to", "until", help="Only those matched before this time.")
@click.option("--event-type", help="Only what events of this type led to.")
@click.option("--entity", help="Only those about this entity: a customer, mostly.")
@click.option("--search", help="Only those with this in the workflow's name or the error.")
@click.option("--event-id", help="Only what this event led to.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@json_option
def list_executions(
    workflow: str | None, status: tuple[str, ...], limit: int, *, as_json: bool, **wanted: str | None
) -> None:
    """List executions, newest first."""
    api = api_here()
    query = {
        "workflow_id": one_called(api, "workflows", workflow)["id"] if workflow else None,
        "status": ",".join(status) or None,
        "from": wanted["since"],
        "to": wanted["until"],
        "entity": wanted["entity"],
        "event_id": wanted["event_id"],
        "event_type": wanted["event_type"],
        "search": wanted["search"],
    }
    found = list(api.items(path_of("executions"), query, limit))
    if as_json:
        show_json({"items": found})
        return
    show_table(_COLUMNS, [_row(one) for one in found], empty="No execution")


@executions.command(epilog="headrace executions show 6f1c2d34-9b0a-4c57-8d2e-0f1a2b3c4d5e")
@click.argument("execution", type=click.UUID)
@json_option
def show(execution: object, *, as_json: bool) -> None:
    """Show an execution in full: the event, each condition's verdict, each step's result, and why."""
    found = api_here().call("GET", path_of("executions", execution))
    if as_json:
        show_json(found)
        return
    show_fields(
        {
            "id": found["id"],
            "status": found["status"],
            "why": found.get("explanation"),
            "error": found["error"],
            "unreadable": "; ".join(f"{one['path']} {one['message']}" for one in found.get("unreadable", ())) or None,
            "workflow": f"{found['workflow_name']} ({found['workflow_id']}, version {found['version']})",
            "event": f"{found['event_type']} {found['event_id']}",
            "entity": found["entity"],
            "attempt": found["attempt"],
            "matched (UTC)": moment(found["executed_at"]),
            "took": took(found["duration_ms"]),
        }
    )
    if found["verdicts"]:
        show_verdicts(found["verdicts"])
    if found["results"]:
        heading("Steps")
        show_table(_RESULTS, [_result(one) for one in found["results"]], empty="")
    heading("Event's data")
    show_json(found["event"].get("data"))


@executions.command(epilog="headrace executions retry 6f1c2d34-9b0a-4c57-8d2e-0f1a2b3c4d5e")
@click.argument("execution", type=click.UUID)
@json_option
def retry(execution: object, *, as_json: bool) -> None:
    """Retry a failed execution, from the step that failed."""
    started = api_here().call("POST", path_of("executions", execution, "retry"))
    if as_json:
        show_json(started)
        return
    click.echo(f"Attempt {started['attempt']} begins with step {started['step']}; see it with")
    click.echo(f"  headrace executions show {execution}")


@executions.command(epilog="headrace executions waiting --workflow Welcome")
@click.option("--workflow", help="Only this workflow's, by id or name.")
@click.option("--entity", help="Only those about this entity.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@json_option
def waiting(workflow: str | None, entity: str | None, limit: int, *, as_json: bool) -> None:
    """List executions that wait, those due first first: for what, and until when."""
    api = api_here()
    workflow_id = one_called(api, "workflows", workflow)["id"] if workflow else None
    query = {"workflow_id": workflow_id, "entity": entity}
    found = list(api.items(path_of("executions", "waiting"), query, limit))
    if as_json:
        show_json({"items": found})
        return
    rows = [
        (one["id"], _going_on(one), one["workflow_name"], one["entity"], one["step"], one["reason"]) for one in found
    ]
    show_table(_WAITING, rows, empty="Nothing waits")


@executions.command(epilog="headrace executions cancel 6f1c2d34-9b0a-4c57-8d2e-0f1a2b3c4d5e --yes")
@click.argument("execution", type=click.UUID)
@click.option("--yes", is_flag=True, help="Do it without asking.")
@json_option
def cancel(execution: object, *, yes: bool, as_json: bool) -> None:
    """End an execution that waits; its steps that remain are skipped, which cannot be undone."""
    confirmed(f"End execution {execution}?", yes=yes)
    answer = api_here().call("POST", path_of("executions", execution, "cancel"))
    if as_json:
        show_json(answer)
        return
    click.echo("Cancelled")


def _going_on(one: dict[str, Any]) -> str:
    return moment(one["goes_on"]) if one["goes_on"] else "in its turn"


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["id"],
        one["status"],
        moment(one["executed_at"]),
        one["workflow_name"],
        one["event_type"],
        one["entity"],
        took(one["duration_ms"]),
        one["error"],
    )


def _result(one: dict[str, Any]) -> tuple[object, ...]:
    told = one.get("error") or (clean(one["output"]) if one.get("output") else "")
    return (one["step"], one["action_type"], one["status"], one["attempts"], took(one["duration_ms"]), told)
