"""``headrace healthcheck``: what a container engine asks, from inside the container, about the process that runs in it.

It runs every few seconds beside each role, so it reads its few variables itself instead of loading every setting, which
would cost half a second of CPU each time.
"""

import http.client
import json
import os
from typing import Final

import click

from app.commands.shape import Command

# The page of a worker, and of the API where no worker's listens: the host's variable, the port's, and their defaults.
PAGES: Final = (
    ("HEADRACE_METRICS_HOST", "HEADRACE_METRICS_PORT", "0"),
    ("HEADRACE_ADMIN_HOST", "HEADRACE_ADMIN_PORT", "8080"),
)
_EVERYWHERE: Final = ("", "0.0.0.0", "::")  # noqa: S104 - what a page listens on, not this


@click.command(cls=Command, epilog="headrace healthcheck --ready || echo not ready")
@click.option("--ready", is_flag=True, help="Ask whether it is ready to work, not only whether it lives.")
@click.option("--within", default=4.0, show_default=True, help="Seconds that the answer may take.")
def healthcheck(*, ready: bool, within: float) -> None:
    """Ask the worker, or the API, that runs in this container how it is; exit code 1 where it is not well."""
    path = "/readyz" if ready else "/healthz"
    for host, port in filter(lambda page: page[1], map(_page, PAGES)):
        try:
            status, body = _ask(host, port, path, within)
        except ConnectionRefusedError:
            continue
        except OSError as error:
            raise click.ClickException(f"{host}:{port}{path}: {error or 'no answer'}") from None
        if status == http.client.OK:
            return
        raise click.ClickException(f"{host}:{port}{path} answers {status}{_reason(body)}")
    raise click.ClickException("nothing listens on HEADRACE_METRICS_PORT or HEADRACE_ADMIN_PORT")


def _page(names: tuple[str, str, str]) -> tuple[str, int]:
    host_name, port_name, default = names
    host, port = os.environ.get(host_name, ""), os.environ.get(port_name) or default
    if not port.isdigit():
        raise click.ClickException(f"{port_name}: {port} is no port")
    return ("127.0.0.1" if host in _EVERYWHERE else host), int(port)


def _ask(host: str, port: int, path: str, within: float) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=within)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(65_536)
    finally:
        connection.close()


def _reason(body: bytes) -> str:
    """Return which checks fail, as the page says it; nothing where it is no such answer."""
    try:
        checks = json.loads(body)["checks"]
        failing = [f"{name} ({check.get('detail', '')})" for name, check in checks.items() if not check["ok"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return f": {', '.join(failing)}" if failing else ""
