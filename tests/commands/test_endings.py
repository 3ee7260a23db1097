"""Whatever goes wrong in a command is one message and an exit code of docs/cli.md: never a traceback, nor a secret."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final, cast

import pytest
from typing_extensions import override

from app.embedded.free_ports import pick_ports
from tests.support.deadlines import scaled

_TOKEN: Final = "hrk_a-token-that-nobody-sees"
_ID: Final = "6f1c2d34-9b0a-4c57-8d2e-0f1a2b3c4d5e"


def _event(number: int) -> dict[str, Any]:
    place = {"topic": "events", "partition": 0, "offset": number, "received_at": "2026-03-01T00:00:00Z"}
    return {
        "type": "order.paid",
        "source": "/shop",
        "id": str(number),
        "entity": "ada",
        "fate": "matched",
        "workflows": [],
        "workflows_left_out": 0,
        "size": 200_000,
        "event": None,
        **place,
    }


class _Api(ThreadingHTTPServer):
    """What commands need of an API: one workflow that never changes, and an event more with each look.

    Attributes:
        busy: How many requests are answered with 503 yet.
        full: Whether no workflow can be made now.
        limited: How many workflows more are answered with 429 first, which says to wait for five seconds.
        asked: The requests, as method and path.
    """

    def __init__(self, port: int = 0, busy: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Answers)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.busy = busy
        self.full = False
        self.limited = 0
        self.asked: list[str] = []

    def said(self, path: str) -> dict[str, Any]:
        """Return the answer at a path."""
        if "/diff" in path:
            return {"words": [], "changes": []}
        if path.startswith("/api/v1/events/lookup"):
            return {"event": {**_event(1), "workflows_left_out": 300}, "outcome": "found", "next_cursor": None}
        if path.startswith("/api/v1/events"):
            return {"items": [_event(n) for n in reversed(range(len(self.asked) + 2))], "complete": True}
        return {"id": _ID, "items": [], "next_cursor": None}


class _Answers(BaseHTTPRequestHandler):
    """Answers for the API."""

    def do_GET(self) -> None:
        """Answer."""
        api = cast("_Api", self.server)
        api.asked.append(f"{self.command} {self.path.partition('?')[0]}")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        api.busy -= 1
        away = api.busy >= 0 or (api.full and api.asked[-1] == "POST /api/v1/workflows")
        limited = api.limited > 0 and api.asked[-1] == "POST /api/v1/workflows"
        api.limited -= limited
        body = json.dumps(api.said(self.path)).encode()
        self.send_response(503 if away else 429 if limited else 200)
        if limited:
            self.send_header("Retry-After", "5")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - as above

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def _served(port: int = 0, busy: int = 0) -> Iterator[_Api]:
    with _Api(port, busy) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """An API, and where it is."""
    with _served() as server:
        yield server.url


def _environment(home: Path, **variables: str) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_API_")}
    return {**given, "HEADRACE_HOME": str(home), "HEADRACE_API_TOKEN": _TOKEN, **variables}


def _shell(home: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell, where ``headrace`` is this code's."""
    command = f'headrace() {{ "{sys.executable}" -m app.cli "$@"; }}; set -o pipefail; {script}'
    return subprocess.run(  # noqa: S603 - our own interpreter, and what this test says
        ["bash", "-c", command],  # noqa: S607
        check=False, capture_output=True, text=True, timeout=scaled(60), env=_environment(home, **variables),
    )  # fmt: skip


def _interruptible(home: Path, *arguments: str, url: str, stdin: int | None = None) -> "subprocess.Popen[str]":
    """Start a command that hears Ctrl-C also where tests are a shell's background job, which ignores it."""
    run = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from app.cli import main; main()"
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", run, *arguments],
        stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=_environment(home, HEADRACE_API_URL=url),
    )  # fmt: skip


def _file(home: Path) -> str:
    file = home / "one.yaml"
    file.write_text("name: Hello\ntrigger: {type: order.paid}\nactions: []\n")
    return str(file)


@pytest.mark.parametrize("command", ["events tail", "events tail --json", "--help", "events --help"])
def test_an_output_that_takes_no_more_is_said(tmp_path: Path, api: str, command: str) -> None:
    """A full disk, here /dev/full: one line that says so, and exit code 1."""
    ran = _shell(tmp_path, f"headrace {command} > /dev/full", HEADRACE_API_URL=api)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1), ran.stderr
    assert "standard output" in ran.stderr
    assert "No space left" in ran.stderr


@pytest.mark.parametrize("command", ["events tail --follow", "events tail --json --follow", "--help"])
def test_a_reader_that_has_enough_ends_a_command_well(tmp_path: Path, api: str, command: str) -> None:
    """`| head` takes what it wants: that is no failure, nor a word on standard error, whatever was left to say."""
    ran = _shell(tmp_path, f"headrace {command} | true", HEADRACE_API_URL=api)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_what_is_left_out_of_an_event_is_said(tmp_path: Path, api: str) -> None:
    """Workflows beyond those that are looked at, with where to ask about them, and an event that is too large."""
    ran = _shell(tmp_path, "headrace events show /shop 1", HEADRACE_API_URL=api)
    assert (ran.returncode, "300 more are not looked at" in ran.stderr) == (0, True), ran.stderr
    assert "Not shown here: it has 200,000 bytes" in ran.stdout
    assert "null" not in ran.stdout


@pytest.mark.parametrize("token", [f"{_TOKEN}\nb", f"{_TOKEN} b", f"{_TOKEN}\u20ac", " "])
def test_a_token_that_no_header_takes_is_refused_unseen(tmp_path: Path, api: str, token: str) -> None:
    """The variable is named; the token is not."""
    ran = _shell(tmp_path, "headrace events tail", HEADRACE_API_URL=api, HEADRACE_API_TOKEN=token)
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran.stderr
    assert "HEADRACE_API_TOKEN" in ran.stderr
    assert _TOKEN not in ran.stderr


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "127.0.0.1:9", "http://[::1", "http://x:port", "http://x y", "http://me:word@x", "http://x/?a=1",
     "http://.x", "http://x:99999"],
)  # fmt: skip
def test_an_address_that_is_none_is_what_is_wrong(tmp_path: Path, url: str) -> None:
    """Before a token is missed; and what may be a password in it is not printed."""
    ran = _shell(tmp_path, "unset HEADRACE_API_TOKEN; headrace events tail", HEADRACE_API_URL=url)
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran.stderr
    assert "HEADRACE_API_URL" in ran.stderr
    assert "word" not in ran.stderr


@pytest.mark.parametrize("empty", ["HEADRACE_API_TOKEN", "HEADRACE_API_URL"])
def test_what_is_set_but_empty_is_no_default(tmp_path: Path, api: str, empty: str) -> None:
    """A script whose TOKEN=$(...) failed must not run with an administrator's rights."""
    ran = _shell(tmp_path, "headrace events tail", **{"HEADRACE_API_URL": api, empty: ""})
    assert (ran.returncode, f"{empty} is set, but empty" in ran.stderr) == (2, True), ran.stderr


def test_an_empty_database_url_is_not_the_local_postgres(tmp_path: Path) -> None:
    """Where libpq would go to by itself, as who runs the command."""
    ran = _shell(tmp_path, "headrace users list", DATABASE_URL="")
    assert (ran.returncode, "DATABASE_URL is set, but empty" in ran.stderr) == (2, True), ran.stderr


@pytest.mark.parametrize("command", ["workflows test Welcome --data", "emit --type order.paid --data"])
def test_what_nests_too_deeply_is_said(tmp_path: Path, api: str, command: str) -> None:
    """JSON of 100,000 brackets."""
    deep = "\"$(printf '[%.0s' $(seq 100000))\""
    ran = _shell(tmp_path, f"headrace {command} {deep}", HEADRACE_API_URL=api)
    assert (ran.returncode, "nests too deeply" in ran.stderr) == (2, True), ran.stderr[-300:]


def test_what_cannot_be_written_is_named(tmp_path: Path, api: str) -> None:
    """A folder that is not there."""
    ran = _shell(tmp_path, "headrace workflows export --output nowhere/x.yaml", HEADRACE_API_URL=api)
    assert (ran.returncode, "nowhere/" in ran.stderr, ran.stderr.count("\n")) == (2, True, 1), ran.stderr


def test_ctrl_c_is_the_way_out_of_following(tmp_path: Path) -> None:
    """It is documented as that: exit code 0, no word; and the heads of the table came once."""
    with _served() as server:
        tail = _interruptible(tmp_path, "events", "tail", "--follow", url=server.url)
        assert tail.stdout is not None
        shown = [tail.stdout.readline() for _ in range(5)]  # the heads, three events of the first look, one of the next
        tail.send_signal(signal.SIGINT)
        _, said = tail.communicate(timeout=scaled(30))
    assert (tail.returncode, said) == (0, "")
    assert [line.startswith("RECEIVED") for line in shown] == [True, False, False, False, False]


def test_versions_that_do_not_differ_are_said_not_to(tmp_path: Path, api: str) -> None:
    """Silence could mean anything; what there is to read stays empty, for scripts."""
    ran = _shell(tmp_path, f"headrace workflows diff {_ID} --from 1", HEADRACE_API_URL=api)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "Nothing differs between 1 and live\n")


def _apply(home: Path, url: str) -> "subprocess.Popen[str]":
    return _interruptible(home, "workflows", "apply", _file(home), "--yes", url=url)


def test_apply_waits_for_an_api_that_is_being_restarted(tmp_path: Path) -> None:
    """It is started only once the command has said that it waits; what it reads is asked for again after a 503."""
    (port,) = pick_ports(1)
    command = _apply(tmp_path, f"http://127.0.0.1:{port}")
    assert command.stderr is not None
    assert "does not answer yet" in command.stderr.readline()
    with _served(port, busy=1) as server:
        out, said = command.communicate(timeout=scaled(30))
        assert (command.returncode, said) == (0, ""), said
        assert "Applied: 1 workflow" in out
        assert server.asked.count("POST /api/v1/workflows") == 1
        assert server.asked.count("GET /api/v1/workflows") == 2


def test_apply_says_how_far_it_is_and_that_it_is_slowed_down(tmp_path: Path) -> None:
    """Hundreds of workflows take minutes, as the API takes so many requests a minute: a silent command looks stuck."""
    (tmp_path / "two.yaml").write_text(Path(_file(tmp_path)).read_text().replace("Hello", "Again"))
    with _served() as server:
        server.limited = 1
        script = f"headrace workflows apply {tmp_path}/one.yaml {tmp_path}/two.yaml --yes"
        ran = _shell(tmp_path, script, HEADRACE_API_URL=server.url)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.splitlines() == [
        "The API takes only so many requests a minute; going on as fast as it lets",
        "1 of 2 applied",
    ]


def test_ctrl_c_breaks_off_what_is_under_way(tmp_path: Path) -> None:
    """What waits for an API: 130, as of any program that a signal ends, and a word instead of `Aborted!`."""
    command = _interruptible(
        tmp_path, "workflows", "apply", _file(tmp_path), url=f"http://127.0.0.1:{pick_ports(1)[0]}"
    )
    assert command.stderr is not None
    command.stderr.readline()
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=scaled(30))
    assert (command.returncode, "Interrupted" in said, "Aborted" in said) == (130, True, False), said


def test_ctrl_c_at_a_question_is_no_answer(tmp_path: Path, api: str) -> None:
    """It breaks off, too: exit code 1 is that of who said no."""
    terminal, end = os.openpty()
    try:
        command = _interruptible(tmp_path, "executions", "cancel", _ID, url=api, stdin=end)
        assert command.stderr is not None
        while command.stderr.read(1) not in {"?", ""}:
            pass
        command.send_signal(signal.SIGINT)
        command.communicate(timeout=scaled(30))
    finally:
        os.close(terminal)
        os.close(end)
    assert command.returncode == 130


def test_what_may_have_been_done_is_not_sent_again(tmp_path: Path) -> None:
    """A 503 to a request that makes something ends the command: to send it again could make two."""
    with _served() as server:
        server.full = True
        command = _apply(tmp_path, server.url)
        command.communicate(timeout=scaled(30))
        assert command.returncode == 5
        assert server.asked[-2:] == ["POST /api/v1/workflows/test", "POST /api/v1/workflows"]
