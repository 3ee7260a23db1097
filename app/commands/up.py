"""``headrace up`` and ``headrace down``: run everything here, in the foreground or the background."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import psutil

from app.commands.shape import Command
from app.commands.up_run import link_lines, run_up, sign_in_link
from app.domain.errors import SetupError
from app.embedded.child import end_leftovers
from app.embedded.processes import headrace, settings_given
from app.processes.home import Lock, default_home, open_private
from app.processes.role_names import role_names
from app.processes.running import running_state

_READY_WITHIN_S = 600.0
_GONE_WITHIN_S = 60.0


@click.command(cls=Command, epilog="headrace up --detach\nheadrace up --link\nheadrace dev info --json\nheadrace down")
@click.option("--detach", is_flag=True, help="Return once all is ready; `headrace down` stops it.")
@click.option("--no-demo", is_flag=True, help="Make no demo workflows and emit no demo events.")
@click.option("--link", is_flag=True, help="Start nothing; print a link that signs in once to what runs here.")
def up(*, detach: bool, no_demo: bool, link: bool) -> None:
    """Start Kafka, Postgres, every role and the API here, show a demo, and keep all running until Ctrl-C.

    KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL name servers to use instead of starting some. Data is kept in .headrace.
    """
    os.umask(0o077)  # what this writes is for its owner alone
    home = default_home()
    if link:
        click.echo(_link(home))
        return
    if detach:
        _start_detached(home, no_demo=no_demo)
        return
    asyncio.run(run_up(home, role_names(), click.echo, demo=not no_demo))


@click.command(cls=Command, epilog="headrace down")
def down() -> None:
    """Stop what `headrace up` started here, cleanly; data is kept."""
    home = default_home()
    state = running_state(home)
    if state is None:
        lock = Lock(home / "up.lock")
        lock.acquire()  # whoever holds it looks after its processes itself
        end_leftovers((home / "pids").glob("*.json"))
        lock.release()
        click.echo("Nothing runs here")
        return
    process = psutil.Process(int(state["pid"]))
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_GONE_WITHIN_S)
    except psutil.TimeoutExpired:
        process.kill()
        end_leftovers((home / "pids").glob("*.json"))
    click.echo("Stopped")


def _start_detached(home: Path, *, no_demo: bool) -> None:
    state = running_state(home)
    if state is not None and state.get("ready"):
        click.echo(f"Runs already: {state['api_url']} (stop it with `headrace down`)")
        _show_link(state)
        other = sorted(settings_given(os.environ).items() - state.get("environment", {}).items())
        if other:
            click.echo(f"It runs with other settings: {', '.join(name for name, _ in other)}", err=True)
        return
    log = home / "logs" / "up.log"
    arguments = ("up", "--no-demo") if no_demo else ("up",)
    with os.fdopen(open_private(log, os.O_TRUNC), "wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own command
            headrace(*arguments), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    _follow(process, log, home)


def _follow(process: subprocess.Popen[bytes], log: Path, home: Path) -> None:
    """Print what the background process says until it is ready."""
    deadline = time.monotonic() + _READY_WITHIN_S
    with log.open() as said:
        while time.monotonic() < deadline:
            ended = process.poll() is not None
            state: dict[str, Any] = running_state(home) or {}
            sys.stdout.write(said.read())
            sys.stdout.flush()
            if state.get("ready") and state.get("pid") == process.pid:
                _show_link(state)
                return
            if ended:
                raise SetupError("it ended before it was ready; the lines above say why")
            time.sleep(0.1)
    os.kill(process.pid, signal.SIGTERM)
    raise SetupError(f"not ready within {_READY_WITHIN_S:.0f} s; see {log}")


def _link(home: Path) -> str:
    state = running_state(home)
    if state is None or not state.get("ready"):
        raise SetupError("nothing runs here; start it with `headrace up`")
    return sign_in_link(state["api_url"], _environment(state))


def _show_link(state: dict[str, Any]) -> None:
    # Said here, and not by the process in the background: what that says is kept in a file.
    for line in link_lines(state["api_url"], _environment(state)):
        click.echo(line)


def _environment(state: dict[str, Any]) -> dict[str, str]:
    return {**os.environ, **state.get("environment", {})}
