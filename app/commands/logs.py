"""``headrace logs``: the upkeep of the execution log, by hand or by a scheduler of your own."""

import asyncio
from collections.abc import Sequence
from typing import Final

import click

from app.adapters.postgres.answering import UPKEEP_WITHIN_S
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.log_partitions import Day, LogPartitions, Upkeep
from app.adapters.postgres.pool import open_pool
from app.commands.preflight import need_postgres, settings_here
from app.commands.shape import Group
from app.settings import Settings

_MIB: Final = 1024 * 1024


@click.group(cls=Group, epilog="headrace logs maintain --dry-run")
def logs() -> None:
    """Keep the execution log in order: its days' partitions, the archive, and what is removed for good."""


@logs.command(epilog="headrace logs maintain --dry-run")
@click.option("--dry-run", is_flag=True, help="Say what there is to do, and do nothing.")
def maintain(*, dry_run: bool) -> None:
    """Make days ahead, archive old ones and remove what is too old for the archive, as the scheduler does each hour.

    HEADRACE_LOG_RETENTION_DAYS and HEADRACE_LOG_ARCHIVE_RETENTION_DAYS say what is old. A day that is in use is left,
    which ends this with 1: run it again.
    """
    settings = settings_here()
    need_postgres(settings)
    done = asyncio.run(_work(settings, dry_run=dry_run))
    for line in lines_of(done, dry_run=dry_run):
        click.echo(line)
    if done.busy:
        raise click.ClickException(f"{len(done.busy)} days are left: the log is in use; run it again")


async def _work(settings: Settings, *, dry_run: bool) -> Upkeep:
    name = "headrace logs"
    async with open_pool(settings, DatabaseRole.SCHEDULER, name=name, answers_within_s=UPKEEP_WITHIN_S) as pool:
        partitions = LogPartitions(pool, settings)
        return await (partitions.plan() if dry_run else partitions.maintain())


def lines_of(done: Upkeep, *, dry_run: bool) -> Sequence[str]:
    """Return what is said about a run: a line a day."""
    will = "would be " if dry_run else ""
    said = [f"{one.day}  {will}made" for one in done.made]
    said += [f"{one.day}  {will}archived  {_amount(one)}" for one in done.archived]
    said += [f"{one.day}  {will}removed for good  {_amount(one)}" for one in done.removed]
    said += [f"{one.day}  left, in use" for one in done.busy]
    return said or ["Nothing to do"]


def _amount(one: Day) -> str:
    return f"{one.size / _MIB:.1f} MiB, about {one.rows:,} rows"
