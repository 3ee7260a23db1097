"""Structured logs, set up in one place for every process: roles, commands and the embedded default (docs/logs.md).

Our modules log by :mod:`logging`, as the libraries do that they use, so that a program of somebody else's which imports
one decides itself where its lines go; values that are looked for (ids above all) are given as ``extra``. All of it, and
what users' own handlers say by ``structlog.get_logger()``, walks the same processors (``app/processes/log_lines.py``).
"""

import logging
import os
import sys
import threading
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Final, TextIO

from app.domain.errors import SettingsError
from app.processes.blotting import BLOTTED, Blotter
from app.processes.log_lines import BEFORE, Line
from app.processes.structlog_alone import structlog
from app.settings import Settings, load_settings

__all__ = ["BLOTTED", "Blotter", "Repeats", "log_as", "log_command", "set_up_logging"]

OURS: Final = ("app", "agents", "tables", "headrace")
REPEATS_S: Final = 5.0


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
        if record.name.partition(".")[0] in OURS:
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


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to standard error as it is when a line comes: who exchanges it (a test, a shell) gets the lines."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        """Standard error."""
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        raise AttributeError("lines go to standard error")


def log_as(role: str, settings: Settings) -> None:
    """Log as a role of this installation, without its secrets, and say that the process has started."""
    _blot_out(settings)
    set_up_logging(role, settings.log_level, style=settings.log_format, instance=settings.instance)


def log_command(name: str) -> None:
    """Log as a command that a person gave: from warnings on, unless HEADRACE_LOG_LEVEL says otherwise."""
    try:
        settings = load_settings()
    except SettingsError:  # the command itself says what is wrong
        set_up_logging(name, "WARNING")
        return
    _blot_out(settings)
    level = settings.log_level if "log_level" in settings.model_fields_set else "WARNING"
    set_up_logging(name, level, style=settings.log_format)


def set_up_logging(role: str, level: str, *, style: str = "auto", instance: str = "") -> None:
    """Log to standard error; other people's libraries from WARNING on.

    Args:
        role: The role or command, in every line.
        level: Our own lines from this level on.
        style: ``json``, ``console``, or ``auto``: for people where standard error is a terminal.
        instance: Which of the role's processes this is.
    """
    handler = _StandardError()
    handler.setFormatter(Line(role, BLOTTED, instance=instance, colours=_colours(style)))
    handler.addFilter(Repeats(REPEATS_S, monotonic))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=True)
    _lead_structlog_here()
    _log_last_words()


def _colours(style: str) -> bool | None:
    """Tell whether lines are coloured; None: they are JSON."""
    terminal = sys.stderr.isatty()
    if style == "json" or (style == "auto" and not terminal):
        return None
    return terminal and not os.environ.get("NO_COLOR")  # https://no-color.org


def _lead_structlog_here() -> None:
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *BEFORE, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _log_last_words() -> None:
    """Have what nobody caught logged as everything else is: Python itself would print what it quotes."""
    sys.excepthook = _last_words
    threading.excepthook = lambda told: _last_words(told.exc_type, told.exc_value, told.exc_traceback)
    sys.unraisablehook = lambda told: _last_words(told.exc_type, told.exc_value, told.exc_traceback)


def _last_words(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is not None:
        logging.getLogger(__name__).critical("nobody caught an error", exc_info=(kind, error, trace))


def _blot_out(settings: Settings) -> None:
    for secret in settings.credentials:
        BLOTTED.add(secret)
