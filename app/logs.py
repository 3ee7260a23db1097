"""Structured logs: one JSON object a line, with the execution and event ids where there are any."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

import orjson

_OURS: Final = ("execution_id", "event_id", "workflow_id", "topic", "partition", "offset", "request_id")


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
        line |= {name: getattr(record, name) for name in _OURS if hasattr(record, name)}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode("utf-8", "replace")


def set_up_logging(role: str, level: str) -> None:
    """Log to standard error, as JSON; other people's libraries from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(role))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("app", "agents", "tables"):
        logging.getLogger(name).setLevel(level)
