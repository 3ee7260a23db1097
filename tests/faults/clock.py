"""A clock that jumps by an hour, for our processes alone: Postgres, Kafka and this process keep the right time.

libfaketime was tried: where its 0.9.10 leaves the monotonic clock alone, Python's ``time.sleep`` fails with EINVAL.
"""

import asyncio
import shutil
from pathlib import Path
from typing import Final

import psycopg

from app.embedded.tool import run_tool
from tests.faults.scenario import Harm, Injury, Place, over
from tests.support.servers import Servers

HOUR_S: Final = 3600
_SOURCE: Final = Path(__file__).with_name("wrong_clock.c")
# What they write goes by Postgres's clock; but each says how far its own is from that.
_WHO_TELLS: Final = frozenset({"matcher", "executor-system", "executor-crm", "executor-notification", "sink"})
_AHEAD: Final = """
    SELECT role FROM heartbeats WHERE (figures->>'headrace_clock_off_seconds')::float8 > 1800
"""


def no_way_to_jump(_: Servers) -> str | None:
    """Say what to install."""
    return None if shutil.which("cc") else "a C compiler: `apt-get install gcc libc6-dev`"


def told_time(told: Path) -> dict[str, str]:
    """Return the environment of processes whose time of day is as wrong as a file says."""
    return {"LD_PRELOAD": str(_library(told)), "WRONG_CLOCK_BY": str(told)}


def _library(told: Path) -> Path:
    return told.with_name("wrong_clock.so")


def build_clock(told: Path) -> None:
    """Make what is preloaded, and let the clock be right."""
    set_clock(told, 0)
    run_tool(["cc", "-shared", "-fPIC", "-O1", "-o", str(_library(told)), str(_SOURCE), "-ldl"], "building a clock")


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
    """Return the roles of which a process says that its clock is far ahead of Postgres's, whose clock is right."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        return {str(name) for (name,) in await (await connection.execute(_AHEAD)).fetchall()}
