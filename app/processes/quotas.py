"""Where what an owner's workflows may take meets its adapters: the quota of executions, and the share of CPU."""

from collections.abc import Callable, Iterable
from datetime import datetime

from app.adapters.postgres.pool import Pool
from app.adapters.postgres.rights import PostgresCallers
from app.adapters.postgres.timers import PostgresParking
from app.domain.shares import Shares
from app.execution.holding import Holding
from app.execution.quota import Quota
from app.execution.quota_parking import Parker
from app.execution.routing import Router
from app.services.access.owner_rights import RecentRights
from app.services.delivery.dead_letters import DeadLetters
from app.settings import Settings
from app.topics import LANES, Topics


def execution_quota(settings: Settings, topics: Topics, pool: Pool) -> Quota:
    """Return what holds owners to so many executions a minute, in a matcher with this pool."""
    callers = PostgresCallers(pool.connection, patient=True)
    owners = RecentRights(callers, settings.everybodys_permissions)
    return Quota(settings.executions_per_minute, topics.over_quota, owners)


def parker(pool: Pool, topics: Topics, action_types: Iterable[str], letters: DeadLetters) -> Parker:
    """Return what lets executions wait that are over the quota."""
    commands = {topics.actions(action_type, lane) for action_type in action_types for lane in LANES}
    return Parker(PostgresParking(pool), frozenset({*commands, topics.executions}), letters)


def step_holding(pool: Pool, router: Router, clock: Callable[[], datetime]) -> Holding:
    """Return what holds owners to their share of CPU, over all executors of a process."""
    return Holding(Shares(), PostgresParking(pool), router, clock)
