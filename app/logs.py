"""Structured logs: one JSON object a line, with the execution and event ids where there are any."""

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

import orjson

OURS: Final = ("app", "agents", "tables")
REPEATS_S: Final = 5.0
_FIELDS: Final = ("execution_id", "event_id", "workflow_id", "topic", "partition", "offset", "request_id")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "role": self._role,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
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


def set_up_logging(role: str, level: str) -> None:
    """Log to standard error, as JSON; other people's libraries from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(role))
    handler.addFilter(Repeats(REPEATS_S, monotonic))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
