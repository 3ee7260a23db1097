"""``headrace keys``: API keys of services, made and revoked by an administrator."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from app.commands.api_client import api_here, path_of
from app.commands.shape import Group
from app.commands.showing import Column, confirmed, json_option, moment, show_json, show_table
from app.domain.api_keys import KEY_PERMISSIONS

_COLUMNS = (
    Column("ID"),
    Column("STATE"),
    Column("NAME", 10),
    Column("PERMISSIONS", 12, 1),
    Column("LAST USED (UTC)", 0, 2),
    Column("EXPIRES (UTC)", 0, 3),
)


@click.group(cls=Group, epilog="headrace keys create --name shop --permission events:write")
def keys() -> None:
    """Make, list and revoke API keys, with which services call the API."""


@keys.command(epilog="SHOP_KEY=$(headrace keys create --name shop --permission events:write)")
@click.option("--name", required=True, help="Which service it is for.")
@click.option(
    "--permission",
    "permissions",
    metavar="NAME",
    type=click.Choice(sorted(KEY_PERMISSIONS)),
    multiple=True,
    required=True,
    help=f"What it may do; give it once for each: {', '.join(sorted(KEY_PERMISSIONS))}.",
)
@click.option("--days", type=click.FloatRange(min=0.01, max=36500), help="Valid for; for ever where it is not given.")
@json_option
def create(name: str, permissions: tuple[str, ...], days: float | None, *, as_json: bool) -> None:
    """Print a new key: this is the only time it is seen, only its digest is kept."""
    expires = None if days is None else (datetime.now(UTC) + timedelta(days=days)).isoformat()
    body = {"name": name, "permissions": list(permissions), "expires_at": expires}
    made = api_here().call("POST", path_of("api-keys"), body)
    if as_json:
        show_json(made)
        return
    click.echo(made["key"])


@keys.command("list", epilog="headrace keys list")
@json_option
def list_keys(*, as_json: bool) -> None:
    """List the keys, the revoked too, newest first; nothing shows a key again."""
    found = list(api_here().call("GET", path_of("api-keys"))["items"])
    if as_json:
        show_json({"items": found})
        return
    rows = [
        (
            one["id"],
            _state(one),
            one["name"],
            ",".join(one["permissions"]),
            moment(one["last_used"]) or "never",
            moment(one["expires_at"]) or "never",
        )
        for one in found
    ]
    show_table(_COLUMNS, rows, empty="No API key; `headrace keys create` makes one")


@keys.command(epilog="headrace keys rotate 6f1c2d34-9b0a-4c57-8d2e-0f1a2b3c4d5e --overlap-hours 24")
@click.argument("key_id", type=click.UUID)
@click.option(
    "--overlap-hours",
    type=click.FloatRange(min=0, max=720),
    default=24,
    show_default=True,
    help="For how many hours the old key holds beside the new one; the API's overlap_s, in seconds.",
)
@json_option
def rotate(key_id: object, overlap_hours: float, *, as_json: bool) -> None:
    """Print a new key in place of one, which holds for a while yet, so that its service can take up the new one."""
    made = api_here().call("POST", path_of("api-keys", key_id, "rotate"), {"overlap_s": round(overlap_hours * 3600)})
    if as_json:
        show_json(made)
        return
    click.echo(made["key"])


@keys.command(epilog="headrace keys revoke 6f1c2d34-9b0a-4c57-8d2e-0f1a2b3c4d5e --yes")
@click.argument("key_id", type=click.UUID)
@click.option("--yes", is_flag=True, help="Do it without asking.")
def revoke(key_id: object, *, yes: bool) -> None:
    """Revoke a key by its id (`headrace keys list`): it is refused within a few seconds, and cannot be brought back."""
    confirmed(f"Revoke API key {key_id}?", yes=yes)
    api_here().call("DELETE", path_of("api-keys", key_id))
    click.echo("Revoked")


def _state(key: dict[str, Any]) -> str:
    if key["revoked_at"] is not None:
        return "revoked"
    expires = key["expires_at"]
    return "expired" if expires is not None and datetime.fromisoformat(expires) <= datetime.now(UTC) else "in use"
