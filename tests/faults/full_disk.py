"""The disk of Postgres's log is full for a while."""

import asyncio
from typing import Final

from psycopg import sql

from tests.faults.scenario import Harm, Injury, Place, over
from tests.faults.servers_ill import administrator_of

_LOGS: Final = "SELECT relid::regclass::text FROM pg_partition_tree('automation_logs') WHERE isleaf"


def full_disk(seconds: float) -> Injury:
    """Put the log on a disk of its own; later that disk takes no more for a while."""

    async def injure(place: Place) -> Harm:
        disk = place.disk
        assert disk is not None
        async with administrator_of(place.stack.database_url) as administrator:
            await administrator.execute(
                sql.SQL("CREATE TABLESPACE full_disk LOCATION {}").format(sql.Literal(str(disk.space)))
            )
            for (table,) in await (await administrator.execute(_LOGS)).fetchall():
                await administrator.execute(sql.SQL("ALTER TABLE {} SET TABLESPACE full_disk").format(sql.SQL(table)))
        await asyncio.sleep(place.seconds / 4)
        disk.fill()
        try:
            await asyncio.sleep(seconds)
        finally:
            disk.free()
        harm = over()
        assert "DiskFull" in place.stack.worker("sink").log_text(), "the sink never met a full disk"
        return harm

    return injure
