"""Demo data in Postgres: a note of each thing that was loaded, and the end of the reference systems' part of it."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text

from app.adapters.postgres.api_engine import ApiDatabase
from app.domain.callers import Caller
from app.domain.errors import ConflictError
from app.ports.demo_data import LoadedDemo

_LOADED: Final = text("SELECT kind, id, version, loaded_by, loaded_at FROM demo_data ORDER BY kind, id")
_BEGIN: Final = text("""
INSERT INTO demo_data (kind, id, loaded_by) VALUES ('load', 'demo', :by) ON CONFLICT DO NOTHING RETURNING kind
""")
_CUSTOMERS: Final = text("""
INSERT INTO demo_data (kind, id, loaded_by) SELECT 'customer', one, :by FROM unnest(CAST(:ids AS text[])) AS one
""")
_WORKFLOW: Final = text("""
INSERT INTO demo_data (kind, id, version, loaded_by) VALUES ('workflow', :id, :version, :by)
""")
_THEIRS: Final = "customer_id IN (SELECT id FROM demo_data WHERE kind = 'customer')"
_FORGET: Final = tuple(
    text(f"DELETE FROM {table} WHERE {_THEIRS}")  # noqa: S608 - our own words only
    for table in (
        "crm.messages",
        "crm.conversations",
        "crm.appointments",
        "crm.tasks",
        "crm.notes",
        "crm.tags",
        "sales.orders",
        "crm.customers",
    )
)
_END: Final = text("DELETE FROM demo_data")


class PostgresDemoData:
    """Implements ``app.ports.demo_data.DemoStore``; the API checks who may.

    Args:
        database: The API's pool.
    """

    def __init__(self, database: ApiDatabase) -> None:
        self._database = database

    async def loaded(self) -> LoadedDemo | None:
        """Return what was loaded."""
        async with self._database.serving() as connection:
            rows = (await connection.execute(_LOADED)).all()
        load = next((row for row in rows if row.kind == "load"), None)
        if load is None:
            return None
        return LoadedDemo(
            load.loaded_by,
            load.loaded_at,
            [row.id for row in rows if row.kind == "customer"],
            {UUID(row.id): row.version for row in rows if row.kind == "workflow"},
        )

    async def begin(self, caller: Caller, customers: Sequence[str]) -> None:
        """Note that a load begins; of two at once the second waits, and is refused."""
        async with self._database.serving(caller) as connection:
            if (await connection.execute(_BEGIN, {"by": caller.user_id})).first() is None:
                raise ConflictError("The demo data is loaded already; remove it first")
            await connection.execute(_CUSTOMERS, {"by": caller.user_id, "ids": list(customers)})

    async def note(self, caller: Caller, workflow: UUID, version: int) -> None:
        """Note a workflow."""
        async with self._database.serving(caller) as connection:
            await connection.execute(_WORKFLOW, {"id": str(workflow), "version": version, "by": caller.user_id})

    async def forget(self, caller: Caller) -> None:
        """Delete the customers with what belongs to them, and the notes, in one transaction."""
        async with self._database.serving(caller) as connection:
            for statement in (*_FORGET, _END):
                await connection.execute(statement)
