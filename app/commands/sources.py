"""``headrace sources``: see what other systems' topics would become as events."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import click
import orjson

from app.adapters.kafka.tail import last_records, missing_topics
from app.commands.preflight import need_kafka, settings_here
from app.commands.shape import Group
from app.commands.showing import Column, show_table
from app.domain.errors import PoisonError
from app.domain.times import from_seconds
from app.services.ingest.source_envelopes import Ignored
from app.services.ingest.source_settings import load_sources
from app.services.ingest.sources import SourceTurner
from app.settings import Settings
from app.topics import Topics
from schemas.incoming import Incoming
from schemas.source import Source

_DEAD = "dead letter"
_COLUMNS = (
    Column("RECORD"),
    Column("BECOMES"),
    Column("ENTITY", 8, 2),
    Column("TIME (UTC)", 0, 4),
    Column("ID", 8, 3),
    Column("DATA, OR WHY NOT", 20, wraps=True),
)


@click.group(cls=Group, epilog="HEADRACE_SOURCES=sources.json headrace sources preview")
def sources() -> None:
    """Look at the topics that HEADRACE_SOURCES turns into events; `headrace worker sources` does it."""


@sources.command(epilog="HEADRACE_SOURCES=sources.json headrace sources preview --last 3")
@click.option("--last", type=click.IntRange(1, 1000), default=10, show_default=True, help="Records of each source.")
def preview(*, last: int) -> None:
    """Show what the last records of each source would become; nothing is sent."""
    settings = settings_here()
    configured = load_sources(settings.sources, settings.topic_prefix)
    need_kafka(settings)
    asyncio.run(_preview(settings, configured, last))


async def _preview(settings: Settings, configured: Sequence[Source], last: int) -> None:
    topics = Topics(settings.topic_prefix)
    missing = await missing_topics(settings.kafka_connection, [source.topic for source in configured])
    for source in configured:
        click.echo(f"{source.name}: the last {last} records of {source.topic} ({source.format})")
        if source.topic in missing:
            click.echo("Kafka has no such topic\n")
            continue
        turner = SourceTurner(source, topics, settings.event_max_age_s)
        records = await last_records(settings.kafka_connection, source.topic, last)
        show_table(_COLUMNS, [preview_row(turner, record) for record in records], empty="It is empty")
        click.echo()


def preview_row(turner: SourceTurner, record: Incoming) -> tuple[str, ...]:
    """Return the table's row of one record: where it is, what it becomes, and the event, or why it becomes none."""
    place = f"{record.partition}/{record.offset}"
    try:
        made = turner.turn(record)
    except PoisonError as error:
        return (place, _DEAD, "", _clock(record), "", f"{error.reason}: {error.detail}")
    if isinstance(made, Ignored):
        return (place, "nothing", "", _clock(record), "", made.why)
    event = made.event
    moment = datetime.fromisoformat(event["time"])
    data = orjson.dumps(event["data"]).decode()
    return (place, event["type"], event["subject"], f"{moment:%Y-%m-%d %H:%M:%S}", event["id"], data)


def _clock(record: Incoming) -> str:
    moment = from_seconds(record.timestamp)
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
