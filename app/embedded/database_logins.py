"""The database users of ``make up``: one for each role, with passwords that are made at the first start and kept."""

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from app.adapters.postgres.database_roles import LOGIN_ROLES, of_process
from app.adapters.postgres.login_users import PREFIX, login_url, make_login_users
from app.processes.home import read_json, write_json

_FILE: Final = "database_users.json"


def database_urls(home: Path, owner_url: str, processes: Iterable[str], *, shared: bool) -> dict[str, str]:
    """Make the login users, and return the DATABASE_URL of each process.

    Args:
        home: Where the passwords are kept, for this user's eyes only.
        owner_url: The URL of a user who may create roles, in a database that is migrated.
        processes: Names of the roles, and ``admin``.
        shared: The server is not ours alone: other installations may have users of the usual names there.

    Raises:
        SettingsError: The owner may not create roles.
        UnreachableError: Postgres does not answer.
    """
    saved = read_json(home / _FILE)
    prefix = saved.get("prefix") or (f"{PREFIX}_{secrets.token_hex(3)}" if shared else PREFIX)
    passwords = {role: saved.get(role.word) or secrets.token_urlsafe(24) for role in LOGIN_ROLES}
    write_json(home / _FILE, {"prefix": prefix, **{role.word: password for role, password in passwords.items()}})
    make_login_users(owner_url, passwords, prefix)
    roles = {name: of_process(name) for name in processes}
    return {name: login_url(owner_url, role, passwords[role], prefix) for name, role in roles.items()}
