"""A clock that jumps by an hour, for our processes alone: Postgres, Kafka and this process keep the right time."""

import asyncio
from pathlib import Path
from typing import Final

import psycopg

from tests.faults.scenario import Harm, Injury, Place, over
from tests.support.servers import Servers

HOUR_S: Final = 3600
# By what their processes say of the time: of the match, and of each action of the job.
_WHO_TELLS: Final = frozenset({"matcher", "webhook", "apply_tag", "create_note", "send_email"})
_AHEAD: Final = """
    WITH ahead AS (SELECT now() + interval '30 minutes' AS at)
    SELECT 'matcher' FROM automation_logs, ahead WHERE executed_at > at
    UNION SELECT r->>'action_type' FROM automation_logs, jsonb_array_elements(actions_executed) AS r, ahead
    WHERE (r->>'executed_at')::timestamptz > at
"""
_PLACES: Final = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/lib64/faketime", "/usr/local/lib/faketime")
_LIBRARY: Final = "libfaketimeMT.so.1"


def library() -> Path | None:
    """Return where libfaketime is."""
    found = (path for place in _PLACES for path in Path("/").glob(f"{place[1:]}/{_LIBRARY}"))
    return next(found, None)


def no_libfaketime(_: Servers) -> str | None:
    """Say what to install."""
    return None if library() else "libfaketime: `apt-get install faketime`"


def told_time(told: Path) -> dict[str, str]:
    """Return the environment of processes whose clock is as far off as a file says; intervals are measured truly."""
    set_clock(told, 0)
    return {
        "LD_PRELOAD": str(library() or ""),
        "FAKETIME_TIMESTAMP_FILE": str(told),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def set_clock(told: Path, off_s: int) -> None:
    """Let the clock be so many seconds off."""
    told.parent.mkdir(parents=True, exist_ok=True)
    draft = told.with_suffix(".draft")
    draft.write_text(f"{off_s:+d}\n")
    draft.replace(told)


def jump(told: Path) -> Injury:
    """Jump an hour ahead at a quarter, and back at two thirds; a jump that no process has seen is none."""

    async def injure(place: Place) -> Harm:
        await asyncio.sleep(place.seconds / 4)
        set_clock(told, HOUR_S)
        await asyncio.sleep(place.seconds * 5 / 12)
        ahead = await who_is_ahead(place.stack.database_url)
        set_clock(told, 0)
        harm = over()
        assert ahead >= _WHO_TELLS, f"the clock of {_WHO_TELLS - ahead} never jumped"
        return harm

    return injure


async def who_is_ahead(database_url: str) -> set[str]:
    """Return who wrote times into the log that Postgres, whose clock is right, calls far ahead."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        return {str(name) for (name,) in await (await connection.execute(_AHEAD)).fetchall()}
