"""``headrace token``: make a bearer token for the API."""

from typing import Literal
from uuid import UUID

import click

from app.admin.auth import mint_token
from app.commands.preflight import settings_here
from app.commands.shape import Command
from app.domain.callers import PERMISSIONS, Permission

_HOUR_S = 3600.0


@click.command(
    cls=Command,
    epilog='TOKEN=$(headrace token)\ncurl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/api/v1/workflows',
)
@click.option("--role", type=click.Choice(["user", "admin"]), default="admin", show_default=True)
@click.option("--user", type=click.UUID, default=UUID(int=1), show_default=True, help="The caller's id.")
@click.option(
    "--permission",
    "permissions",
    metavar="NAME",
    type=click.Choice(sorted(PERMISSIONS)),
    multiple=True,
    help=f"What a user may do beside what every user may; give it once for each: {', '.join(sorted(PERMISSIONS))}.",
)
@click.option("--hours", type=click.FloatRange(min=0.01, max=8760), default=12, show_default=True, help="Valid for.")
def token(role: Literal["user", "admin"], user: UUID, permissions: tuple[Permission, ...], hours: float) -> None:
    """Print a token that the API of these settings accepts (HEADRACE_JWT_SECRET)."""
    click.echo(mint_token(settings_here(), user, role, hours * _HOUR_S, permissions))
