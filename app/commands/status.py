"""``headrace status``: every process of the installation in one table, from the heartbeats that they write."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

import click

from app.adapters.kafka.depths import KafkaDepths
from app.adapters.postgres.heartbeats import PostgresHeartbeats
from app.adapters.postgres.installation import acting_role
from app.commands.preflight import need_postgres, settings_here
from app.commands.shape import Command
from app.commands.showing import Column, json_option, show_json, show_table
from app.domain.errors import UnreachableError
from app.ports.heartbeats import Heartbeat
from app.processes.examination import roles_of
from app.processes.role_names import action_types_by_role
from app.services.operations.queue_status import lanes_of
from app.services.operations.roll_call import WRONG, Present, roll_call, spoken
from app.settings import Settings
from app.topics import Topics

_COLUMNS: Final = (
    Column("ROLE"),
    Column("STATE"),
    Column("LAG"),
    Column("UP", 0, 1),
    Column("RESTARTS", 0, 2),
    Column("INSTANCE", 8, 3),
    Column("HOST", 8, 4),
    Column("VERSION", 0, 5),
    Column("WHY", 20, wraps=True),
)


@click.command(cls=Command, epilog="headrace status\nheadrace status --json | jq .processes")
@json_option
def status(*, as_json: bool) -> None:
    """Show every role's processes: ready or why not, restarts, lag. Exit code 1 where one is not ready, or missing."""
    settings = settings_here()
    need_postgres(settings)
    rows, lag, unknown = asyncio.run(_ask(settings))
    found = roll_call(rows, roles_of(settings), lag, datetime.now(UTC))
    fine = not any(one.state in WRONG for one in found)
    if as_json:
        show_json({"status": "ok" if fine else "failing", "processes": [asdict(one) for one in found]})
    else:
        show_table(_COLUMNS, table(found), empty="")
        if unknown:
            click.echo(f"The lag is not known: {unknown}", err=True)
    if not fine:
        raise SystemExit(1)


async def _ask(settings: Settings) -> tuple[Sequence[Heartbeat], Mapping[str, int], str]:
    """Return every heartbeat, each role's lag, and why that is not known, if it is not."""
    url = settings.database_url.get_secret_value()
    store = PostgresHeartbeats(url, await acting_role(url))
    try:
        rows = await store.all()
    finally:
        await store.close()
    try:
        return rows, await _lag(settings), ""
    except UnreachableError as error:
        return rows, {}, str(error)


async def _lag(settings: Settings) -> Mapping[str, int]:
    lanes = lanes_of(Topics(settings.topic_prefix), action_types_by_role())
    source = KafkaDepths(settings.kafka_connection, client_id="headrace-status")
    try:
        depths = await source.depths(lanes)
    finally:
        await source.stop()
    lag: dict[str, int] = {}
    for lane in lanes:
        lag[lane.role] = lag.get(lane.role, 0) + depths.get(lane.topic, 0)
    return lag


def table(found: Sequence[Present]) -> list[tuple[str, ...]]:
    """Return the rows of a table: a role's lag stands in its first, for it is that of all of its processes."""
    seen: set[str] = set()
    rows = []
    for one in found:
        rows.append(_cells(one, first=one.role not in seen))
        seen.add(one.role)
    return rows


def _cells(one: Present, *, first: bool) -> tuple[str, ...]:
    lag = f"{one.lag:,}" if first and one.lag is not None else ""
    up = "" if one.up_s is None else spoken(one.up_s)
    restarts = str(one.restarts) if one.instance else ""
    return (one.role, one.state, lag, up, restarts, one.instance, one.host, one.version, one.why)
