"""Structured logs: one JSON object a line, with the execution and event ids where there are any."""

import logging
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from types import TracebackType
from typing import Any, Final

import orjson

from app.domain.redaction import NOTHING, Redactor

OURS: Final = ("app", "agents", "tables")
REPEATS_S: Final = 5.0
_FIELDS: Final = ("execution_id", "event_id", "workflow_id", "topic", "partition", "offset", "request_id")


class Blotter:
    """Secrets that this process has read, and what keeps them out of its log."""

    def __init__(self) -> None:
        self._values: frozenset[str] = frozenset()
        self._redactor: Redactor | None = NOTHING

    def add(self, value: str) -> None:
        """Keep a secret out of every line from now on."""
        if value not in self._values:
            self._values |= {value}
            self._redactor = None

    def clean(self, text: str) -> str:
        """Return a text without them."""
        if self._redactor is None:  # made once for many that are read at a time
            self._redactor = Redactor(self._values)
        return self._redactor.text(text)


BLOTTED: Final = Blotter()


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, without the secrets that ``blotter`` knows."""

    def __init__(self, role: str, blotter: Blotter = BLOTTED) -> None:
        super().__init__()
        self._role = role
        self._blotter = blotter

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "role": self._role,
            "logger": record.name,
            "message": self._blotter.clean(record.getMessage()),
        }
        line |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["error"] = self._blotter.clean(self.formatException(record.exc_info))
        return orjson.dumps(line, default=str).decode("utf-8", "replace")


class Repeats(logging.Filter):
    """Lets a message through once in ``every`` seconds: aiokafka tells of an absent broker thousands of times a second.

    Told apart by logger and template, so that other values of the same message are repeats too; how many were held
    back stands in the next one. Errors of our own always pass.
    """

    def __init__(self, every: float, clock: Callable[[], float]) -> None:
        super().__init__()
        self._every = every
        self._clock = clock
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is to be written."""
        if record.name.startswith(OURS):
            return True
        key, now = (record.name, str(record.msg)), self._clock()
        last, held = self._seen.get(key, (float("-inf"), 0))
        if now - last < self._every:
            self._seen[key] = (last, held + 1)
            return False
        self._seen[key] = (now, 0)
        if held:
            record.msg = f"{record.msg} (and {held} more like it)"
        return True


def _last_words(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Log an uncaught error as everything else is logged: Python itself would print what it quotes."""
    if error is not None:
        logging.getLogger(__name__).critical("nobody caught an error", exc_info=(kind, error, trace))


def set_up_logging(role: str, level: str) -> None:
    """Log to standard error, as JSON; other people's libraries from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(role))
    handler.addFilter(Repeats(REPEATS_S, monotonic))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    sys.excepthook = _last_words
    threading.excepthook = lambda told: _last_words(told.exc_type, told.exc_value, told.exc_traceback)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
