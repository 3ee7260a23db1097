"""``headrace workflows``: look at workflows, keep them in files, switch them on and off, try them."""

import click

from app.commands.api_client import api_here, path_of
from app.commands.references import one_called
from app.commands.shape import Group
from app.commands.showing import Column, json_option, moment, show_fields, show_json, show_table
from app.commands.workflow_apply import apply, diff
from app.commands.workflow_export import as_yaml, export
from app.commands.workflow_test import test

_COLUMNS = (
    Column("ID"),
    Column("STATE"),
    Column("NAME", 16),
    Column("TRIGGER", 12, 1),
    Column("STEPS", 0, 3),
    Column("VERSION", 0, 4),
    Column("CHANGED (UTC)", 0, 2),
)


@click.group(cls=Group, epilog="headrace workflows list --active\nheadrace workflows apply welcome.yaml")
def workflows() -> None:
    """List, apply, switch and try workflows."""


@workflows.command("list", epilog="headrace workflows list --active --search welcome")
@click.option("--active/--inactive", default=None, help="Only those that are switched on, or off.")
@click.option("--trigger", help="Only those of this event type.")
@click.option("--search", help="Only those with this in name or description.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@json_option
def list_workflows(*, active: bool | None, trigger: str | None, search: str | None, limit: int, as_json: bool) -> None:
    """List workflows, newest first; an administrator's list holds all users'."""
    only = None if active is None else str(active).lower()
    query = {"active": only, "trigger_type": trigger, "search": search}
    found = list(api_here().items(path_of("workflows"), query, limit))
    if as_json:
        show_json({"items": found})
        return
    rows = [
        (
            one["id"],
            state(one),
            one["name"],
            one["trigger"]["type"],
            len(one["actions"]),
            one["version"],
            moment(one["updated_at"]),
        )
        for one in found
    ]
    show_table(_COLUMNS, rows, empty="No workflow; `headrace workflows apply FILE` makes one")


@workflows.command(epilog="headrace workflows show 'Thank big spenders'")
@click.argument("workflow")
@json_option
def show(workflow: str, *, as_json: bool) -> None:
    """Show a workflow, by its id or its name: how it stands, and what it says."""
    found = one_called(api_here(), "workflows", workflow)
    if as_json:
        show_json(found)
        return
    show_fields(
        {
            "id": found["id"],
            "state": state(found),
            "version": found["version"],
            "owner": found["created_by"],
            "created (UTC)": moment(found["created_at"]),
            "changed (UTC)": moment(found["updated_at"]),
            "draft": _draft(found),
        }
    )
    click.echo()
    click.echo(as_yaml(found), nl=False)


@workflows.command(epilog="headrace workflows activate 'Thank big spenders'")
@click.argument("workflow")
@json_option
def activate(workflow: str, *, as_json: bool) -> None:
    """Switch a workflow on, by its id or its name; within a second every matcher knows."""
    api = api_here()
    found = one_called(api, "workflows", workflow)
    _switched(api.call("POST", path_of("workflows", found["id"], "activate")), found, as_json=as_json)


@workflows.command(epilog="headrace workflows deactivate 'Thank big spenders' --waiting finish")
@click.argument("workflow")
@click.option("--waiting", type=click.Choice(["finish", "cancel"]), help="What becomes of executions that wait.")
@json_option
def deactivate(workflow: str, waiting: str | None, *, as_json: bool) -> None:
    """Switch a workflow off, by its id or its name; it starts no more."""
    api = api_here()
    found = one_called(api, "workflows", workflow)
    path = path_of("workflows", found["id"], "deactivate")
    _switched(api.call("POST", path, query={"waiting": waiting}), found, as_json=as_json)


def state(workflow: dict[str, object]) -> str:
    """Say whether a workflow is switched on."""
    return "active" if workflow["active"] else "inactive"


def _switched(now: dict[str, object], before: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        show_json(now)
        return
    was = "was so already" if now["active"] == before["active"] else f"version {now['version']}"
    click.echo(f"{now['name']} is {state(now)} ({was})")


def _draft(workflow: dict[str, object]) -> str:
    draft = workflow.get("draft")
    if not isinstance(draft, dict):
        return ""
    return f"saved {moment(str(draft['saved_at']))}, {draft['changes']} changes; not published"


for _command in (apply, diff, export, test):
    workflows.add_command(_command)
