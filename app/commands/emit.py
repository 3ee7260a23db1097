"""``headrace emit``: put events into Kafka, one from flags or many from a file."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from app.adapters.kafka.producer import KafkaSender
from app.commands.json_flags import json_object
from app.commands.jsonl import BadLineError, Batch, JsonLines, batches, open_jsonl
from app.commands.preflight import need_kafka, settings_here
from app.commands.shape import Command
from app.domain.errors import InvalidError
from app.services.ingest.emitter import EventEmitter
from app.settings import Settings
from app.topics import Topics

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar  # the type's only home

_BATCH = 500
_RATED_BATCHES_PER_S = 20


@click.command(
    cls=Command,
    epilog="""headrace emit --type order.created --subject ada --data '{"total": 250}'
headrace emit events.jsonl.gz --rate 200""",
)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--type", "event_type", help="Type of one event, such as order.created or custom.signup.")
@click.option("--subject", help="The entity it is about; events of one entity stay in order.")
@click.option("--data", default="{}", show_default=True, help="A JSON object.")
@click.option("--source", default="/command-line", show_default=True)
@click.option("--id", "event_id", help="An id emitted twice runs once; made up by default.")
@click.option(
    "--rate", type=click.FloatRange(min=0.01), help="Events a second; as fast as Kafka takes them by default."
)
def emit(  # noqa: PLR0917 - click passes every option by name
    file: Path | None,
    event_type: str | None,
    subject: str | None,
    data: str,
    source: str,
    event_id: str | None,
    rate: float | None,
) -> None:
    """Emit one event (--type), or those of FILE: CloudEvents as JSON, one a line, .gz or not, - for standard input.

    Stops at the first line that is no event and names it; the lines before it have been emitted.
    """
    if (file is None) == (event_type is None):
        raise click.UsageError("give either a FILE or --type; see the examples below `headrace emit --help`")
    event = one_event(event_type or "", subject, data, source, event_id)  # before anybody is asked
    settings = settings_here()
    need_kafka(settings)
    if file is not None:
        started = time.monotonic()
        count = asyncio.run(_emit_file(settings, file, rate))
        click.echo(counted(count, time.monotonic() - started))
        return
    click.echo(asyncio.run(_emit_one(settings, event)))


def counted(count: int, seconds: float) -> str:
    """Say how many events were emitted, how long it took and how many a second that is."""
    each_second = count / max(seconds, 0.001)
    return f"{count:,} event{'' if count == 1 else 's'} emitted in {seconds:.1f} s ({each_second:,.0f} a second)"


def one_event(event_type: str, subject: str | None, data: str, source: str, event_id: str | None) -> dict[str, Any]:
    """Return the event that the flags describe.

    Raises:
        click.BadParameter: ``data`` is no JSON object, or holds a key twice.
    """
    event = {
        "specversion": "1.0",
        "id": event_id or str(uuid4()),
        "source": source,
        "type": event_type,
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": json_object(data, "--data"),
    }
    return {**event, "subject": subject} if subject else event


async def _emit_one(settings: Settings, event: dict[str, Any]) -> str:
    async with KafkaSender(settings.kafka_connection, client_id="headrace-emit") as sender:
        return await EventEmitter(sender, Topics(settings.topic_prefix)).emit(event)


async def _emit_file(settings: Settings, file: Path, rate: float | None) -> int:
    emitted = 0
    async with KafkaSender(settings.kafka_connection, client_id="headrace-emit") as sender:
        emitter = EventEmitter(sender, Topics(settings.topic_prefix))
        with open_jsonl(file) as lines, _progress(file, lines) as bar:
            size = _BATCH if rate is None else max(1, min(_BATCH, round(rate / _RATED_BATCHES_PER_S)))
            try:
                async for batch in paced(batches(lines, size), rate):
                    emitted += await _emit_batch(emitter, batch)
                    bar.update(batch.size)
            except BadLineError as error:
                # All of the lines before it have gone, also those of its own batch.
                emitted += await _emit_batch(emitter, error.before)
                raise BadLineError(f"{error}; {emitted:,} events emitted before it", error.before) from None
    return emitted


async def _emit_batch(emitter: EventEmitter, batch: Batch) -> int:
    """Emit a batch, of which nothing goes where one event is none.

    Raises:
        BadLineError: One is no event; says which, and what goes before it.
    """
    if not batch.events:
        return 0
    try:
        await emitter.emit_many(batch.events)
    except InvalidError as error:
        raise BadLineError(batch.where(error.errors[0]), batch.before(error.errors[0])) from None
    return len(batch.events)


def _progress(file: Path, lines: JsonLines) -> "ProgressBar[int]":
    return click.progressbar(length=lines.size or 0, hidden=lines.size is None, label=file.name, file=sys.stderr)


async def paced(source: Iterator[Batch], rate: float | None) -> AsyncIterator[Batch]:
    """Yield batches no faster than ``rate`` events a second; what was late is caught up, so that the mean holds."""
    loop = asyncio.get_running_loop()
    started, given = loop.time(), 0
    due: Batch | None = None
    try:
        for batch in source:
            due = batch if due is None else due.joined(batch)
            if rate is not None:
                ends = started + (given + len(due.events)) / rate
                if loop.time() > ends and len(due.events) < _BATCH:
                    continue  # Kafka took longer than these were to take: more are due by now, and go with them
                await asyncio.sleep(max(0.0, started + given / rate - loop.time()))
            whole, due = due, None
            given += len(whole.events)
            yield whole
    except BadLineError:
        if due is not None:
            yield due  # they stand before it
        raise
    if due is not None:
        yield due
