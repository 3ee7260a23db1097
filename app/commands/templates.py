"""``headrace templates``: the gallery of workflow templates, and the built-in ones that belong in it."""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from app.commands.api_client import api_here, path_of
from app.commands.references import one_called
from app.commands.shape import Group
from app.commands.showing import Column, clean, heading, json_option, show_fields, show_json, show_table

_COLUMNS = (
    Column("ID"),
    Column("NAME", 24),
    Column("TRIGGER", 12, 1),
    Column("CATEGORY", 0, 2),
    Column("USED", 0, 3),
    Column("SEEN BY", 0, 4),
)
_ASKS = (
    Column("NAME"),
    Column("TYPE"),
    Column("NEEDED"),
    Column("DEFAULT", 12, wraps=True),
    Column("WHAT", 16, wraps=True),
)
_STEPS = (Column("ORDER"), Column("ACTION"), Column("CONFIG", 20, wraps=True))
_AS_JSON = frozenset({"number", "integer", "money", "boolean"})
_OWNER = UUID(int=1)


@click.group(
    cls=Group,
    invoke_without_command=True,
    epilog="""headrace migrate
headrace templates
headrace templates list --category sales""",
)
@click.option(
    "--owner", type=click.UUID, default=_OWNER, show_default=True, help="Whose they are; in Supabase, a user of yours."
)
@click.pass_context
def templates(ctx: click.Context, owner: UUID) -> None:
    """List and apply workflow templates; alone, store the built-in ones.

    Without a command it stores the built-in templates that are missing or out of date, straight in the database of
    DATABASE_URL, as an installation's step; those that were changed stay.
    """
    if ctx.invoked_subcommand is None:
        _store(owner)


@templates.command("list", epilog="headrace templates list --search welcome")
@click.option("--category", help="Only those of this category.")
@click.option("--trigger", help="Only those of this event type.")
@click.option("--search", help="Only those with this in name or description.")
@click.option("--mine", is_flag=True, help="Only your own.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@json_option
def list_templates(limit: int, *, mine: bool, as_json: bool, **wanted: str | None) -> None:
    """List templates, your own and public ones, newest first."""
    query = {
        "category": wanted["category"],
        "trigger_type": wanted["trigger"],
        "search": wanted["search"],
        "mine": "true" if mine else None,
    }
    found = list(api_here().items(path_of("templates"), query, limit))
    if as_json:
        show_json({"items": found})
        return
    show_table(
        _COLUMNS, [_row(one) for one in found], empty="No template; `headrace templates` stores the built-in ones"
    )


@templates.command(epilog="headrace templates show 'Welcome a new customer'")
@click.argument("template")
@json_option
def show(template: str, *, as_json: bool) -> None:
    """Show a template, by its id or its name: what it asks for when it is applied, and what it does."""
    found = one_called(api_here(), "templates", template)
    if as_json:
        show_json(found)
        return
    show_fields({name: found[name] for name in ("id", "name", "description", "category", "usage_count")})
    heading("Asks for (--set NAME=VALUE)")
    rows = [
        (one["name"], one["type"], "yes" if _needed(one) else "no", one.get("default"), one.get("label"))
        for one in found.get("placeholders", [])
    ]
    show_table(_ASKS, rows, empty="Nothing")
    heading("Steps")
    show_table(_STEPS, [(one["order"], one["type"], clean(one["config"])) for one in found["actions"]], empty="None")


@templates.command(epilog="headrace templates apply 'Welcome a new customer' --name Welcome --set tag=new")
@click.argument("template")
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A value that the template asks for.")
@click.option("--name", help="What the workflow is to be called; by default as the template.")
@click.option("--file", type=click.Path(allow_dash=True, path_type=Path),
              help="A YAML or JSON file with what differs from the template; - is standard input.")  # fmt: skip
@json_option
def apply(template: str, given: tuple[str, ...], name: str | None, file: Path | None, *, as_json: bool) -> None:
    """Make a workflow of a template, by its id or its name; it is inactive."""
    changes = _customizations(file) | ({"name": name} if name else {})
    api = api_here()
    found = one_called(api, "templates", template)
    values = _values(given, found.get("placeholders", []))
    if values:
        changes["placeholders"] = {**(changes.get("placeholders") or {}), **values}
    made = api.call("POST", path_of("templates", found["id"], "apply"), changes)
    if as_json:
        show_json(made)
        return
    click.echo(f"Workflow {made['name']} ({made['id']}) is made, and inactive; switch it on with")
    click.echo(f"  headrace workflows activate {made['id']}")


def _customizations(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    from app.commands.workflow_files import read_documents  # noqa: PLC0415 - YAML is loaded where it is used

    found = read_documents([file])
    if len(found) != 1:
        raise click.BadParameter("must hold one object", param_hint="--file")
    return found[0].value


def _needed(placeholder: dict[str, Any]) -> bool:
    return bool(placeholder.get("required", True)) and placeholder.get("default") is None


def _values(given: Sequence[str], placeholders: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the values by name; a number or a truth value where the template asks for one, else the text as it is."""
    types = {one["name"]: one["type"] for one in placeholders}
    values: dict[str, Any] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals:
            raise click.BadParameter(f"{one!r} should be NAME=VALUE", param_hint="--set")
        values[name] = text
        if types.get(name) in _AS_JSON:
            with suppress(json.JSONDecodeError):  # the API says what it should be
                values[name] = json.loads(text)
    return values


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    seen = "all" if one["is_public"] else "you"
    return (one["id"], one["name"], one["trigger"]["type"], one["category"], one["usage_count"], seen)


def _store(owner: UUID) -> None:
    import psycopg  # noqa: PLC0415 - the other commands go through the API

    from app.adapters.postgres.starter_templates import store_starters  # noqa: PLC0415
    from app.commands.preflight import need_postgres, postgres_refused, settings_here  # noqa: PLC0415
    from app.services.workflows.starter_templates import STARTERS, starter_id  # noqa: PLC0415

    settings = settings_here()
    need_postgres(settings)
    drafts = {starter_id(draft): draft for draft in STARTERS}
    try:
        stored = store_starters(settings.database_url.get_secret_value(), drafts, owner)
    except psycopg.Error as error:
        raise postgres_refused(error) from None
    click.echo(f"Templates: {len(drafts)} built in, {stored} stored or brought up to date")
