"""From a record of :mod:`logging`, or an event of structlog, to one line: JSON, or coloured for a terminal.

One walk of structlog's processors for all of them, our own modules, Faust, aiokafka, aiohttp and psycopg alike. One
line is one JSON object, whatever is logged, and has at most 16 KiB: the runtimes of containers cut longer ones in two.
"""

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from app.domain.log_context import ids_here
from app.processes.blotting import Blotter
from app.processes.log_values import Values, said
from app.processes.structlog_alone import EventDict, Processor, WrappedLogger, structlog

MAX_LINE_BYTES: Final = 16 * 1024 - 256
_SIZES: Final = ((4096, 50), (1024, 20), (256, 10))
_FIRST: Final = ("time", "level", "role", "instance", "logger", "message")
# With one of these a line says itself what it is about, and what is under way around it may be something else.
IDS: Final = frozenset({"execution_id", "event_id", "workflow_id", "command_id", "topic", "partition", "offset"})
_OF_ITS_OWN: Final = IDS | {"outage"}  # an outage is nobody's in particular
_SHOWN_AS_THEY_ARE: Final = {ord("\n"): "\n", ord("\t"): "\t"}
_CONTROL: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | _SHOWN_AS_THEY_ARE


def with_context(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Add what the work under way is about, unless the line says it itself."""
    if _OF_ITS_OWN.isdisjoint(event):
        for name, value in ids_here().items():
            event.setdefault(name, value)
    return event


BEFORE: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    with_context,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
)


class Line(logging.Formatter):
    """Formats a record as one line.

    Args:
        role: The process's role, in every line.
        blotter: Takes secrets out.
        instance: Which of the role's processes this is; empty: not said.
        colours: For a terminal; None: JSON.
    """

    def __init__(self, role: str, blotter: Blotter, *, instance: str = "", colours: bool | None = None) -> None:
        super().__init__()
        self._fixed = {"role": role, **({"instance": instance} if instance else {})}
        self._blotter = blotter
        last: Processor = self._json if colours is None else self._console(colours)
        self._inner = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *BEFORE],
            processors=[self._common, structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end; there is one whatever was logged."""
        try:
            return self._inner.format(_sayable(record))
        except Exception as error:  # noqa: BLE001 - a line that is lost hides what went wrong
            told = {"level": record.levelname.lower(), **self._fixed, "logger": record.name}
            why = f"a line could not be written ({type(error).__name__})"
            return orjson.dumps({"time": _time(record), **told, "message": why}).decode()

    def _common(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {**event, "time": _time(event["_record"]), **self._fixed}

    def _json(self, _: WrappedLogger, __: str, event: EventDict) -> str:
        for chars, members in _SIZES:
            line = orjson.dumps(_shaped(dict(event), Values(self._blotter.clean, chars, members)))
            if len(line) <= MAX_LINE_BYTES:
                return line.decode()
        least = {name: event[name] for name in ("time", "level", *self._fixed, "logger", "event") if name in event}
        ids = {name: event[name] for name in IDS & event.keys()}
        values = Values(self._blotter.clean, *_SIZES[-1])
        return orjson.dumps(_shaped({**least, **ids, "cut": True}, values)).decode()

    def _console(self, colours: bool) -> Processor:  # noqa: FBT001 - one of two ways to show a line
        renderer = structlog.dev.ConsoleRenderer(colors=colours, timestamp_key="time", event_key="message")

        def shown(logger: WrappedLogger, name: str, event: EventDict) -> str:
            exc_info = _exc_info(event)
            values = Values(self._blotter.clean)
            told = {key: _visible(values.value(value)) for key, value in _renamed(event).items()}
            if exc_info is not None:
                text = "".join(traceback.format_exception(exc_info, limit=-20))
                told["exception"] = _visible(self._blotter.clean(text[-16_384:]))
            return str(renderer(logger, name, told))

        return shown


def _shaped(event: dict[str, Any], values: Values) -> dict[str, Any]:
    """Return a line's fields in their order, each fit for JSON."""
    error = _exc_info(event)
    told = {name: values.value(value) for name, value in _renamed(event).items()}
    if error is not None:
        told["error"] = values.error(error, error.__traceback__)
    return {**{name: told[name] for name in _FIRST if name in told}, **told}


def _renamed(event: MutableMapping[str, Any]) -> dict[str, Any]:
    told = dict(event)
    told["message"] = told.pop("event", "")
    return told


def _exc_info(event: MutableMapping[str, Any]) -> BaseException | None:
    """Take the error out of an event, as it was raised."""
    given = event.pop("exc_info", None)
    if given is True:  # structlog's way to ask for what is being handled
        given = sys.exc_info()
    if isinstance(given, tuple):
        error = given[1]
        return error if isinstance(error, BaseException) else None
    return given if isinstance(given, BaseException) else None


def _sayable(record: logging.LogRecord) -> logging.LogRecord:
    """Return the record, whose message can be put together: values that do not fit its template stand behind it."""
    if isinstance(record.msg, dict):
        return record
    try:
        record.getMessage()
    except Exception:  # noqa: BLE001 - somebody's mistake in a template must not hide what it is about
        given = record.args.values() if isinstance(record.args, Mapping) else record.args or ()
        record = logging.makeLogRecord(record.__dict__)
        record.msg, record.args = " ".join((said(record.msg), *map(said, given))), None
    return record


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _visible(value: Any) -> Any:
    """Return what a terminal may be shown: nothing that moves its cursor or changes its title."""
    return value.translate(_CONTROL) if isinstance(value, str) else value
