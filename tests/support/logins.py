"""The roles' login users in a test's Postgres: what a process of ours logs in as, and may do, in production."""

from contextlib import AbstractAsyncContextManager
from typing import Final

from app.adapters.postgres.api_engine import ApiDatabase
from app.adapters.postgres.database_roles import LOGIN_ROLES, DatabaseRole, of_process
from app.adapters.postgres.login_users import login_url, make_login_users
from app.adapters.postgres.pool import Pool, open_pool
from app.settings import Settings

# The cluster's, as users are: every session gives them the same.
_PASSWORD: Final = "test-password-of-every-role"


def make_logins(admin_url: str) -> None:
    """Make the login user of each role, in a migrated database's cluster."""
    make_login_users(admin_url, dict.fromkeys(LOGIN_ROLES, _PASSWORD))


def as_role(admin_url: str, role: DatabaseRole) -> str:
    """Return the URL of the same database for a role's login user."""
    return login_url(admin_url, role, _PASSWORD)


def as_process(admin_url: str, name: str) -> str:
    """Return the URL of the same database for what a process logs in as: ``sink``, ``executor-crm``, ``admin``."""
    return as_role(admin_url, of_process(name))


def pool_of(admin_url: str, role: DatabaseRole) -> AbstractAsyncContextManager[Pool]:
    """Open the pool of a role on the same database, logged in as in production."""
    return open_pool(Settings(DATABASE_URL=as_role(admin_url, role)), role)


def api_of(admin_url: str) -> ApiDatabase:
    """Return the API's pool on the same database, logged in as in production; close it."""
    return ApiDatabase(Settings(DATABASE_URL=as_role(admin_url, DatabaseRole.API)))
