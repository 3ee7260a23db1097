"""Structured logs."""

import logging
import subprocess
import sys

import orjson
import pytest

from app.processes.logs import Blotter, JsonFormatter, Repeats


def record(name: str, message: str, *values: object) -> logging.LogRecord:
    """Return a log record."""
    return logging.LogRecord(name, logging.ERROR, "", 0, message, values, None)


def test_a_line_is_json_with_the_ids() -> None:
    """One object a line: level, role, message, and the execution's id where the call gave one."""
    made = record("app.x", "no %s", "luck")
    made.execution_id = "e-1"
    line = orjson.loads(JsonFormatter("sink").format(made))
    assert (line["role"], line["message"], line["execution_id"]) == ("sink", "no luck", "e-1")


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
    """In messages and in tracebacks; the line stays JSON."""
    blotter = Blotter()
    blotter.add("canary-word")
    made = record("app.x", "failed for %s", "Bearer CANARY-word")
    made.exc_info = (ValueError, ValueError("no luck with https://shop.example/canary-word"), None)
    text = JsonFormatter("sink", blotter).format(made)
    assert "canary" not in text.casefold()
    line = orjson.loads(text)
    assert line["message"] == "failed for Bearer ***"
    assert "no luck with https://shop.example/***" in line["error"]


@pytest.mark.parametrize("raised", ["fail()", "thread = Thread(target=fail); thread.start(); thread.join()"])
def test_an_error_that_nobody_catches_is_logged_as_any_other(raised: str) -> None:
    """A process's last words hold no secret either, whichever thread says them."""
    program = (
        "from threading import Thread\nfrom app.processes.logs import BLOTTED, set_up_logging\n"
        "BLOTTED.add('canary-word')\nset_up_logging('sink', 'INFO')\n"
        f"def fail():\n    raise RuntimeError('no luck with ' + 'canary-' + 'word')\n{raised}"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    assert "canary-word" not in ended.stderr
    assert "no luck with ***" in orjson.loads(ended.stderr.splitlines()[-1])["error"]
