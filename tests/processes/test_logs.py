"""Structured logs: one line is one JSON object, whatever is logged and whoever logs it."""

import logging
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import orjson
import pytest

from app.domain.log_context import about, about_nothing, all_about
from app.processes.log_lines import MAX_LINE_BYTES, Line
from app.processes.logs import Blotter, Repeats

BLOT = Blotter()
BLOT.add("canary-word")


class UnsayableError(Exception):
    """Its own text fails."""

    def __str__(self) -> str:
        """Fail."""
        raise RuntimeError("no words")


def record(name: str, message: object, *values: object, **extra: object) -> logging.LogRecord:
    """Return a log record."""
    made = logging.LogRecord(name, logging.ERROR, "", 0, message, values, None)
    made.__dict__.update(extra)
    return made


def read(made: logging.LogRecord, blotter: Blotter = BLOT) -> dict[str, Any]:
    """Return a record's line, read again."""
    text = Line("sink", blotter, instance="2").format(made)
    assert "\n" not in text
    assert len(text.encode()) <= MAX_LINE_BYTES
    line: dict[str, Any] = orjson.loads(text)
    return line


def raised(error: BaseException) -> Any:
    """Return an error as ``exc_info``."""

    def fail() -> None:
        raise error

    try:
        fail()
    except BaseException:  # noqa: BLE001 - any error may be logged
        return sys.exc_info()


def test_a_line_is_json_with_the_ids() -> None:
    """One object a line: time, level, role, instance, message, and the execution's id where the call gave one."""
    line = read(record("app.x", "no %s", "luck", execution_id="e-1"))
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "error",
        "role": "sink",
        "instance": "2",
        "logger": "app.x",
        "message": "no luck",
        "execution_id": "e-1",
    }


def test_a_line_names_what_is_under_way_unless_it_says_it_itself() -> None:
    """What a line says of its own is never mixed with ids of something else."""
    about(lambda offset: {"topic": "t", "partition": 1, "offset": offset}, 7)
    assert read(record("app.x", "failed"))["offset"] == 7
    assert "offset" not in read(record("app.x", "failed", execution_id="e-1"))
    with all_about(request_id="r"):
        assert read(record("app.x", "failed"))["request_id"] == "r"
    about(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    assert read(record("app.x", "failed"))["ids_unknown"] == "ZeroDivisionError"
    about_nothing()
    assert "offset" not in read(record("app.x", "failed"))


@pytest.mark.parametrize(
    "value",
    [
        "one\ntwo\r\u2028three",
        "lone \ud800 surrogate",
        "\x00\x1b[2J" * 3000,
        b"\xff\x00bytes",
        "x" * 10_000_000,
        10**400,
        float("nan"),
        UUID(int=7),
        UnsayableError(),
        {("not", "a"): {"text": {1: {2: {3: {4: "deep"}}}}}},
        {f"k{n}": "y" * 4000 for n in range(5000)},
        [object()] * 100_000,
        {"loop"},
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_logged_is_one_line_of_json(value: object) -> None:
    """In the message and in a field: no newline, no odd byte and no size makes it anything else."""
    line = read(record("app.x", "it was %s", value, what=value, execution_id="e-1"))
    assert line["execution_id"] == "e-1"
    assert line["message"].startswith("it was ") or "could not" in line["message"]


def test_values_that_do_not_fit_their_template_are_said_behind_it() -> None:
    """A mistake in a template hides nothing; Python itself would print a traceback of many lines."""
    assert read(record("aiokafka", "%d of %d", "three", UnsayableError()))["message"] == (
        "%d of %d three <a UnsayableError that cannot be shown>"
    )


def test_an_error_is_an_object_with_its_causes_and_its_last_frames() -> None:
    """Type, words, frames, cause; thousands of frames and rings of causes are bounded, and no variable is shown."""

    def dive(depth: int, error: Exception, hidden: str = "hidden-local") -> None:
        if depth:
            dive(depth - 1, error, hidden)
        raise error

    first = record("app.x", "failed")
    deep, above = ValueError("deep"), KeyError("k")
    with suppress(ValueError):
        dive(500, deep)
    above.__cause__, deep.__cause__ = deep, above  # a ring
    first.exc_info = raised(above)
    line = read(first)
    assert (line["error"]["type"], line["error"]["cause"]["type"]) == ("KeyError", "ValueError")
    assert line["error"]["frames"][0].startswith("tests/processes/test_logs.py:")
    assert line["error"]["frames"][0].endswith(" raised")
    assert len(line["error"]["cause"]["frames"]) == 20
    assert line["error"]["cause"]["frames_left_out"] == 482
    assert "hidden-local" not in str(line)


def test_a_group_of_errors_names_each() -> None:
    """What several tasks raised stands side by side, as far as there is room."""
    made = record("app.x", "failed")
    made.exc_info = raised(
        ExceptionGroup("upkeep", [ValueError("a"), UnsayableError(), *[ValueError("z" * 9000)] * 50])
    )
    line = read(made)
    assert [one["type"].rpartition(".")[2] for one in line["error"]["errors"]][:2] == ["ValueError", "UnsayableError"]


def test_others_repeats_are_held_back_and_counted() -> None:
    """Thousands of equal messages of a library make one line, and the next one says how many there were."""
    now = [0.0]
    repeats = Repeats(5.0, lambda: now[0])
    passed = [repeats.filter(record("aiokafka", "Unable connect to %s", n)) for n in range(1000)]
    assert passed == [True] + [False] * 999
    now[0] = 6.0
    later = record("aiokafka", "Unable connect to %s", 1)
    assert repeats.filter(later)
    assert later.getMessage() == "Unable connect to 1 (and 999 more like it)"


def test_our_own_messages_always_pass() -> None:
    """What we say is said for a reason each time."""
    repeats = Repeats(5.0, lambda: 0.0)
    assert all(repeats.filter(record("app.execution.transactional", "failed")) for _ in range(3))


def test_secrets_that_were_read_are_blotted_out() -> None:
    """In messages, fields, their names and tracebacks, also where a text is cut in the middle of one."""
    made = record("app.x", "failed for %s", "Bearer CANARY-word", url={"canary-word": ["canary-word"]})
    made.cut = "x" * 4090 + "canary-word"
    made.exc_info = raised(ValueError("no luck with https://shop.example/canary-word"))
    line = read(made)
    assert "canary" not in str(line).casefold()
    assert line["message"] == "failed for Bearer ***"
    assert line["url"] == {"***": ["***"]}
    assert line["error"]["message"] == "no luck with https://shop.example/***"


def test_a_terminal_is_shown_colours_and_never_moved() -> None:
    """Lines for people: fields behind the message, the traceback below, control characters spelled out."""
    made = record("app.x", "no \x1b]0;title\x07 %s", "canary-word", execution_id="e-1")
    made.exc_info = raised(ValueError("canary-word"))
    text = Line("sink", BLOT, colours=True).format(made)
    assert "\x1b[" in text
    assert "\\x1b]0;title\\x07 ***" in text
    assert "canary" not in text
    assert "ValueError: ***" in text
    plain = Line("sink", BLOT, colours=False).format(made)
    assert "\x1b" not in plain
    assert "execution_id=e-1" in plain


def program(body: str, role: str = "sink", style: str = "auto") -> list[str]:
    """Return the command of a process that sets up its logging and runs ``body``."""
    text = (
        "import logging, structlog, warnings\nfrom threading import Thread\nfrom app.processes.logs import *\n"
        f"BLOTTED.add('canary-word')\nset_up_logging({role!r}, 'INFO', style={style!r})\n{body}"
    )
    return [sys.executable, "-c", text]


def lines_of(body: str) -> list[dict[str, Any]]:
    """Return what a process logs into a pipe."""
    ended = subprocess.run(program(body), capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    return [orjson.loads(line) for line in ended.stderr.splitlines()]


@pytest.mark.parametrize(
    "last_words",
    [
        "fail()",
        "thread = Thread(target=fail); thread.start(); thread.join()",
        "class Late:\n    def __del__(self): fail()\nlate = Late(); del late",
    ],
)
def test_an_error_that_nobody_catches_is_logged_as_any_other(last_words: str) -> None:
    """A process's last words hold no secret either, whichever thread says them."""
    *_, line = lines_of(f"def fail():\n    raise RuntimeError('no luck with ' + 'canary-' + 'word')\n{last_words}")
    assert line["error"]["message"] == "no luck with ***"
    assert line["level"] == "critical"


def test_every_library_speaks_through_the_same_lines() -> None:
    """Faust, aiokafka, aiohttp, psycopg, structlog's own loggers and Python's warnings: every line is JSON."""
    body = (
        "for name in ('faust.worker', 'mode', 'aiokafka.conn', 'aiohttp.server', 'psycopg.pool', 'asyncio'):\n"
        "    logging.getLogger(name).warning('two\\nlines of %s', name)\n"
        "structlog.get_logger('app.mine').error('by structlog', execution_id='e-1')\n"
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n"
        "    structlog.get_logger('app.mine').exception('failed', to='canary-word')\n"
        "warnings.warn('old')\n"
    )
    lines = lines_of(body)
    assert len(lines) == 9
    assert {line["role"] for line in lines} == {"sink"}
    assert lines[6].items() >= {"message": "by structlog", "execution_id": "e-1", "level": "error"}.items()
    assert lines[7]["error"]["type"] == "ZeroDivisionError"
    assert lines[7]["to"] == "***"


def on_a_terminal(command: list[str], **environment: str) -> bytes:
    """Return what a process writes to standard error where that is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stderr=theirs, env=os.environ | environment):  # noqa: S603 - our own interpreter
        pass
    os.close(theirs)
    said = os.read(ours, 65_536)
    os.close(ours)
    return said


def test_auto_is_for_people_on_a_terminal_and_json_elsewhere() -> None:
    """HEADRACE_LOG_FORMAT says otherwise where it is set; NO_COLOR is heeded."""
    body = "logging.getLogger('app.x').error('hello')"
    assert b"\x1b[" in on_a_terminal(program(body))
    assert b"\x1b[" not in on_a_terminal(program(body), NO_COLOR="1")
    assert orjson.loads(on_a_terminal(program(body, style="json")))["message"] == "hello"
    assert lines_of(body)[0]["message"] == "hello"
    shown = subprocess.run(program(body, style="console"), capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    assert "hello" in shown.stderr
    assert "\x1b" not in shown.stderr


@pytest.mark.parametrize("say", [logging.Logger.debug, logging.Logger.info])
def test_libraries_speak_from_warnings_on(say: Callable[..., None]) -> None:
    """What Faust tells about its insides is no line of ours, at any level of ours."""
    name = f"logging.getLogger('faust').{say.__name__}('inside')"
    assert lines_of(name) == []
