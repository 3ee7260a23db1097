"""``headrace dead-letters``: records that could not be processed."""

from typing import Any

import click

from app.commands.api_client import api_here, path_of
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
)

_PAGE = 200
_COLUMNS = (
    Column("NUMBER"),
    Column("STATE"),
    Column("FAILED (UTC)"),
    Column("ROLE", 7, 2),
    Column("REASON", 12),
    Column("DETAIL", 20, 1),
    Column("ENTITY", 8, 3),
)
_NUMBERS = click.argument("numbers", nargs=-1, required=True, type=click.IntRange(1))


@click.group("dead-letters", cls=Group, epilog="headrace dead-letters list\nheadrace dead-letters replay 17")
def dead_letters() -> None:
    """List, show, replay and discard records that could not be processed."""


@dead_letters.command("list", epilog="headrace dead-letters list --state all --reason internal_error")
@click.option("--state", type=click.Choice(["open", "replayed", "discarded", "all"]), default="open", show_default=True)
@click.option("--topic", help="Only those read from this topic.")
@click.option("--reason", help="Only those of this reason.")
@click.option("--role", help="Only those of this role.")
@click.option("--event-id", help="Only those of this event.")
@click.option("--entity", help="Only those about this entity.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@json_option
def list_letters(state: str, limit: int, *, as_json: bool, **wanted: str | None) -> None:
    """List dead letters, newest first."""
    query = {**wanted, "state": None if state == "all" else state}
    found = _found(query, limit)
    if as_json:
        show_json({"items": found})
        return
    rows = [
        (
            one["number"],
            one["state"],
            moment(one["failed_at"]),
            one["role"],
            one["reason"],
            one["detail"],
            one["entity"],
        )
        for one in found
    ]
    show_table(_COLUMNS, rows, empty="No dead letter")


@dead_letters.command(epilog="headrace dead-letters show 17")
@click.argument("number", type=click.IntRange(1))
@json_option
def show(number: int, *, as_json: bool) -> None:
    """Show a dead letter, with what the record holds."""
    found = api_here().call("GET", path_of("dead-letters", number))
    if as_json:
        show_json(found)
        return
    hidden = ("key", "value", "headers", "cut")
    told = {name.replace("_", " "): value for name, value in found.items() if name not in hidden}
    show_fields({**told, "headers left out": found.get("headers_left_out") or None})
    for name in ("key", "value"):
        heading(f"{name.capitalize()}{' (cut)' if name == 'value' and found['cut'] else ''}")
        click.echo(_bytes(found[name]))
    if found["headers"]:
        heading("Headers")
        for name, value in found["headers"]:
            click.echo(f"{clean(name)}: {_bytes(value)}")


@dead_letters.command(epilog="headrace dead-letters replay 17 18")
@_NUMBERS
@json_option
def replay(numbers: tuple[int, ...], *, as_json: bool) -> None:
    """Send dead letters back to where they came from, once what they failed on is mended."""
    api = api_here()
    done = []
    for number in numbers:
        done.append(api.call("POST", path_of("dead-letters", number, "replay")))
        if not as_json:
            click.echo(f"{number}: sent to {done[-1]['topic']} again")
    if as_json:
        show_json({"items": done})


@dead_letters.command(epilog="headrace dead-letters discard 17 --yes")
@_NUMBERS
@click.option("--yes", is_flag=True, help="Do it without asking.")
@json_option
def discard(numbers: tuple[int, ...], *, yes: bool, as_json: bool) -> None:
    """Be done with dead letters: they are not replayed any more, which cannot be undone."""
    confirmed(f"Discard dead letter {', '.join(map(str, numbers))}?", yes=yes)
    api = api_here()
    for number in numbers:
        api.call("DELETE", path_of("dead-letters", number))
        if not as_json:
            click.echo(f"{number}: discarded")
    if as_json:
        show_json({"discarded": list(numbers)})


def _found(query: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """Return dead letters, whose pages go on before a number."""
    api = api_here()
    found: list[dict[str, Any]] = []
    while len(found) < limit:
        size = min(_PAGE, limit - len(found))
        before = found[-1]["number"] if found else None
        page = api.call("GET", path_of("dead-letters"), query={**query, "before": before, "limit": size})["items"]
        found += page
        if len(page) < size:
            break
    return found


def _bytes(shown: dict[str, Any] | None) -> str:
    if shown is None:
        return "(null)"
    return f"{shown['base64']} (Base64)" if shown["text"] is None else clean(shown["text"])
