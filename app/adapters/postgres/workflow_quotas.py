"""How many workflows a user may have, told to the database, which holds those to it who write SQL in a user's name."""

from typing import Final

from sqlalchemy import text

from app.adapters.postgres.api_engine import ApiDatabase
from app.domain.quotas import WorkflowQuotas

_TELL: Final = text("""
UPDATE workflow_quotas SET workflows = :workflows, active = :active
WHERE (workflows, active) IS DISTINCT FROM (:workflows, :active)
""")


async def tell_quotas(database: ApiDatabase, quotas: WorkflowQuotas) -> None:
    """Store what the API is set to; of several that start, the last one's counts.

    Raises:
        UnreachableError: Postgres does not answer.
    """
    async with database.serving() as connection:
        await connection.execute(_TELL, {"workflows": quotas.workflows, "active": quotas.active})
