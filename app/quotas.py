"""Where what an owner's workflows may take meets its adapters: the quota of executions, and the share of CPU."""

from collections.abc import Callable
from datetime import datetime

from agents.holding import Holding
from agents.quota import Quota
from agents.slips import Road
from app.adapters.postgres.pool import Pool
from app.adapters.postgres.rights import PostgresCallers
from app.adapters.postgres.timers import PostgresParking
from app.domain.shares import Shares
from app.services.owner_rights import RecentRights
from app.settings import Settings


def execution_quota(settings: Settings, pool: Pool) -> Quota:
    """Return what holds owners to so many executions a minute, in a matcher with this pool."""
    callers = PostgresCallers(pool.connection, patient=True)
    owners = RecentRights(callers, settings.everybodys_permissions)
    return Quota(settings.executions_per_minute, PostgresParking(pool), owners)


def step_holding(pool: Pool, road: Road, clock: Callable[[], datetime]) -> Holding:
    """Return what holds owners to their share of CPU, over all executors of a process."""
    return Holding(Shares(), PostgresParking(pool), road, clock)
