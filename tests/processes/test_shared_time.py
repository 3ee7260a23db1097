"""Workers tell the time as Postgres does, wherever what they say of it is for others to judge by."""

import ast
from pathlib import Path
from typing import Final

import pytest

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.pool import open_pool
from app.adapters.postgres.shared_time import PostgresTime
from app.processes import roles
from app.settings import Settings

# What tells the time of day, and by which argument it is told that.
_TELLS: Final = {"Router": "now", "Timing": "now", "Matcher": "clock", "DeadLetters": "clock", "Shared": "clock"}


@pytest.mark.parametrize("role", ["matcher", "executor", "sink"])
def test_no_part_of_a_worker_goes_by_its_machine_s_time_of_day(role: str) -> None:
    """Each is given the shared clock; by default it would be the machine's."""
    code = ast.parse((Path(roles.__file__).parent / f"{role}.py").read_text())
    calls = [node for node in ast.walk(code) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    told = [
        (one.func.id, {given.arg: ast.unparse(given.value) for given in one.keywords}.get(_TELLS[one.func.id]))
        for one in calls
        if isinstance(one.func, ast.Name) and one.func.id in _TELLS
    ]
    assert told
    assert {by for _, by in told} == {"clock.now"}


@pytest.mark.postgres
@pytest.mark.parametrize("role", [DatabaseRole.MATCHER, DatabaseRole.EXECUTOR, DatabaseRole.SINK])
async def test_any_worker_may_ask_postgres_for_the_time(database: str, role: DatabaseRole) -> None:
    """Twice in a row, it has gone on."""
    async with open_pool(Settings(DATABASE_URL=database), role) as pool:
        store = PostgresTime(pool)
        assert await store.now() < await store.now()
