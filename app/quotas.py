"""Where the quota of executions meets its adapters."""

from agents.quota import Quota
from app.adapters.postgres.pool import Pool
from app.adapters.postgres.rights import PostgresCallers
from app.adapters.postgres.timers import PostgresParking
from app.services.owner_rights import RecentRights
from app.settings import Settings


def execution_quota(settings: Settings, pool: Pool) -> Quota:
    """Return what holds owners to so many executions a minute, in a matcher with this pool."""
    callers = PostgresCallers(pool.connection, patient=True)
    owners = RecentRights(callers, settings.everybodys_permissions)
    return Quota(settings.executions_per_minute, PostgresParking(pool), owners)
