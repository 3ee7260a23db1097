"""``headrace healthcheck``: what a container engine asks is answered by the page of the process beside it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main
from app.commands.healthcheck import PAGES
from app.embedded.free_ports import pick_ports
from app.settings import Settings


@contextmanager
def page(answers: dict[str, tuple[int, str]]) -> Iterator[int]:
    """A page on a port of its own that answers each path with a status and a body."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer with what the path is given."""
            status, body = answers[self.path]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def check(*arguments: str, **variables: str) -> Any:
    """Run the command as in a container with these variables."""
    free = str(pick_ports(1)[0])
    env = {"HEADRACE_METRICS_PORT": "0", "HEADRACE_ADMIN_PORT": free, **variables}
    return CliRunner(env=env).invoke(main, ["healthcheck", *arguments])


@pytest.mark.parametrize("variable", ["HEADRACE_METRICS_PORT", "HEADRACE_ADMIN_PORT"])
def test_a_process_that_lives_is_well(variable: str) -> None:
    """A worker's page answers, or else the API's; that it is not ready is asked with --ready alone."""
    failing = {"status": "failing", "checks": {"kafka": {"ok": False, "detail": "no broker"}, "table": {"ok": True}}}
    with page({"/healthz": (200, "{}"), "/readyz": (503, json.dumps(failing))}) as port:
        assert check(**{variable: str(port)}).exit_code == 0
        asked = check("--ready", **{variable: str(port)})
    assert asked.exit_code == 1
    assert asked.output == f"Error: 127.0.0.1:{port}/readyz answers 503: kafka (no broker)\n"


def test_the_api_is_asked_where_no_worker_listens() -> None:
    """In the API's container the worker's port is set as everywhere, and nothing listens there."""
    with page({"/readyz": (200, "{}")}) as port:
        nobody = str(pick_ports(1)[0])
        assert check("--ready", HEADRACE_METRICS_PORT=nobody, HEADRACE_ADMIN_PORT=str(port)).exit_code == 0


def test_a_process_that_does_not_answer_is_not_well() -> None:
    """Nothing listens; what does is something else; a variable is no port: each is said in a line."""
    nothing = check()
    assert nothing.exit_code == 1
    assert nothing.output == "Error: nothing listens on HEADRACE_METRICS_PORT or HEADRACE_ADMIN_PORT\n"
    with page({"/healthz": (500, "no JSON")}) as port:
        assert check(HEADRACE_METRICS_PORT=str(port)).output == f"Error: 127.0.0.1:{port}/healthz answers 500\n"
    assert check(HEADRACE_METRICS_PORT="many").output == "Error: HEADRACE_METRICS_PORT: many is no port\n"


def test_its_default_is_the_setting() -> None:
    """It reads the variables itself, since settings cost half a second to load; so the API's port stands twice."""
    assert int(PAGES[-1][2]) == Settings.model_fields["admin_port"].default
