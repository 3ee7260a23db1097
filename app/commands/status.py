"""``headrace status``: every process of the installation in one table, from the heartbeats that they write."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

import click

from app.adapters.kafka.depths import KafkaDepths
from app.adapters.postgres.heartbeats import PostgresHeartbeats
from app.adapters.postgres.installation import acting_role
from app.commands.preflight import need_postgres, settings_here
from app.domain.errors import UnreachableError
from app.ports.heartbeats import Heartbeat
from app.processes.examination import roles_of
from app.processes.role_names import action_types_by_role
from app.services.operations.queue_status import lanes_of
from app.services.operations.roll_call import WRONG, Present, roll_call, spoken
from app.settings import Settings
from app.topics import Topics

_HEADER: Final = ("ROLE", "INSTANCE", "HOST", "VERSION", "UP", "RESTARTS", "LAG", "STATE")
_COLOURS: Final = {"ready": "green", "not ready": "yellow", "lost": "red", "absent": "red"}


@click.command(epilog="Example: headrace status || headrace status --json | jq .processes")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(*, as_json: bool) -> None:
    """Show every role's processes: ready or why not, restarts, lag. Exit code 1 where one is not ready, or missing."""
    settings = settings_here()
    need_postgres(settings)
    rows, lag, unknown = asyncio.run(_ask(settings))
    found = roll_call(rows, roles_of(settings), lag, datetime.now(UTC))
    fine = not any(one.state in WRONG for one in found)
    if as_json:
        click.echo(json.dumps({"status": "ok" if fine else "failing", "processes": [asdict(one) for one in found]}))
    else:
        for line in table(found):
            click.echo(line)
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


def table(found: Sequence[Present]) -> list[str]:
    """Return the lines of a table: a role's lag stands in its first line, for it is that of all of its processes."""
    seen: set[str] = set()
    rows = []
    for one in found:
        first = one.role not in seen
        seen.add(one.role)
        rows.append(_cells(one, first=first))
    widths = [max(len(row[n]) for row in (_HEADER, *rows)) for n in range(len(_HEADER) - 1)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(_HEADER, widths, strict=False)), _HEADER[-1]])]
    for one, row in zip(found, rows, strict=True):
        said = click.style(row[-1], fg=_COLOURS.get(one.state)) + (f": {one.why}" if one.why else "")
        lines.append("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), said]))
    return lines


def _cells(one: Present, *, first: bool) -> tuple[str, ...]:
    lag = f"{one.lag:,}" if first and one.lag is not None else ""
    up = "" if one.up_s is None else spoken(one.up_s)
    restarts = str(one.restarts) if one.instance else ""
    return (one.role, one.instance, one.host, one.version, up, restarts, lag, one.state)
