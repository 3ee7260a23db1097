"""``headrace database-users``: make the users that the roles log in to Postgres as."""

import os
import re
from typing import Final

import click

from app.adapters.postgres.database_roles import LOGIN_ROLES, DatabaseRole
from app.adapters.postgres.login_users import PREFIX, make_login_users
from app.commands.preflight import need_postgres, settings_here
from app.commands.shape import Command
from app.domain.errors import SettingsError

_PREFIX: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")


@click.command(
    cls=Command,
    name="database-users",
    epilog="HEADRACE_DATABASE_PASSWORD_SINK=... headrace database-users",
)
@click.option(
    "--prefix", default=PREFIX, show_default=True, help="Of the names; installations in one cluster have one each."
)
def database_users(prefix: str) -> None:
    """Make a login user for each role whose password is set, or give it that password; run it as often as you like.

    Passwords come from HEADRACE_DATABASE_PASSWORD_MATCHER, _EXECUTOR, _SINK, _SCHEDULER, _SOURCES, _API and
    _DASHBOARDS (Grafana's). The users are named headrace_matcher_login and so on. DATABASE_URL is the owner's, who may
    create roles.
    """
    if not _PREFIX.fullmatch(prefix):
        raise SettingsError("--prefix is up to 31 lower-case letters, digits and underscores, a letter first")
    passwords = passwords_here()
    settings = settings_here()
    need_postgres(settings)
    made = make_login_users(settings.database_url.get_secret_value(), passwords, prefix)
    click.echo(f"Database users: {', '.join(made)}")
    left = [_variable(role) for role in LOGIN_ROLES if role not in passwords]
    if left:
        click.echo(f"Left alone, without a password: {', '.join(left)}")


def passwords_here() -> dict[DatabaseRole, str]:
    """Return the roles' passwords from the environment.

    Raises:
        SettingsError: The environment holds no password.
    """
    found = {role: os.environ.get(_variable(role), "") for role in LOGIN_ROLES}
    passwords = {role: password for role, password in found.items() if password}
    if not passwords:
        raise SettingsError(f"no password is set; set {', '.join(map(_variable, LOGIN_ROLES))}")
    return passwords


def _variable(role: DatabaseRole) -> str:
    return f"HEADRACE_DATABASE_PASSWORD_{role.word.upper()}"
