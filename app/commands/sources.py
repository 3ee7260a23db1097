"""``headrace sources``: see what other systems' topics would become as events."""

import asyncio
import shutil
from collections.abc import Sequence
from datetime import datetime

import click
import orjson

from app.adapters.kafka.tail import last_records, missing_topics
from app.commands.preflight import need_kafka, settings_here
from app.commands.shape import Group
from app.domain.errors import PoisonError
from app.domain.times import from_seconds
from app.services.ingest.source_envelopes import Ignored
from app.services.ingest.source_settings import load_sources
from app.services.ingest.sources import SourceTurner
from app.settings import Settings
from app.topics import Topics
from schemas.incoming import Incoming
from schemas.source import Source

_HEADER = ("record", "becomes", "entity", "time", "id", "data")
_DEAD = "dead letter"
_WIDEST = {"entity": 24, "id": 32}
_GAP = 2
_LEAST_LAST = 40


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
            click.echo("  Kafka has no such topic\n")
            continue
        turner = SourceTurner(source, topics, settings.event_max_age_s)
        records = await last_records(settings.kafka_connection, source.topic, last)
        rows = [preview_row(turner, record) for record in records]
        for line in columns([_HEADER, *rows], shutil.get_terminal_size().columns) if rows else ["It is empty"]:
            click.echo(f"  {line}")
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


def columns(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Lay rows out in columns within ``width`` characters: what is too long is cut, but for reasons."""
    clean = [[_one_line(cell) for cell in row] for row in rows]
    most = [_WIDEST.get(name, width) for name in _HEADER]
    widths = [min(max(len(row[n]) for row in clean), most[n]) for n in range(len(_HEADER) - 1)]
    widths.append(max(_LEAST_LAST, width - sum(widths) - _GAP * len(_HEADER)))
    gap = " " * _GAP
    return [
        gap.join([*(_cut(cell, w).ljust(w) for cell, w in zip(row[:-1], widths[:-1], strict=True)), _last(row, widths)])
        for row in clean
    ]


def _one_line(text: str) -> str:
    # A record may hold anything, also what a terminal would obey.
    spaced = " ".join(text.split())
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in spaced)


def _last(row: Sequence[str], widths: Sequence[int]) -> str:
    return row[-1] if row[1] == _DEAD else _cut(row[-1], widths[-1])


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
