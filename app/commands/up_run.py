"""The life of ``headrace up``: start all, run the demo, say where things are, stop all at the first signal."""

import asyncio
import os
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from app.commands.api_client import ApiClient
from app.domain.errors import SetupError
from app.embedded.demo import run_demo, table
from app.embedded.installation import Installation, Say
from app.embedded.processes import ALLOW_PRIVATE, headrace

_TOKEN_LIVES_H = 30 * 24
_LINK_LIVES_H: Final = 24


async def run_up(home: Path, roles: list[str], say: Say, *, demo: bool) -> None:
    """Run until SIGINT or SIGTERM.

    Raises:
        HeadraceError: A part did not come up; what had started is stopped again.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    installation = Installation(home, roles, say)
    loop.add_signal_handler(signal.SIGHUP, installation.restart_roles)
    starting = asyncio.create_task(_start(installation, say, demo=demo))
    waiting = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await waiting
        say("Stopping")
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await installation.stop()
    say("Stopped")


async def _start(installation: Installation, say: Say, *, demo: bool) -> None:
    await installation.start()
    os.environ.update(installation.environment)
    token = await _mint_token()
    installation.publish(admin_token=token)
    facts = installation.facts
    if demo:
        say("Demo: three workflows, an event for each")
        api = ApiClient(facts["api_url"], token)
        outcomes = await asyncio.to_thread(run_demo, api, installation.home, facts["receiver_url"])
        for line in table(outcomes):
            say(f"  {line}")
    for line in _closing_lines(installation.home, facts):
        say(line)
    if _is_kept(sys.stdout.fileno()):
        say("Open the pages: `headrace up --link` prints a link that signs you in")
    else:
        for line in await asyncio.to_thread(link_lines, facts["api_url"], os.environ):
            say(line)
    say("ready")
    # Last: a command that waits for this state shows the lines above.
    installation.publish(ready=True)


def _pages(pages: dict[str, str]) -> list[str]:
    if not pages:
        return []
    return ["Pages of the roles (/readyz, /metrics):", *(f"  {role:<22}{url}" for role, url in pages.items())]


async def _mint_token() -> str:
    """Make an administrator's token by the command: what signs it is twenty megabytes, and the supervisor runs on."""
    minting = headrace("token", "--hours", str(_TOKEN_LIVES_H))
    process = await asyncio.create_subprocess_exec(*minting, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    if process.returncode:
        raise SetupError("no token could be made; the lines above say why")
    return said.decode().strip()


def _is_kept(descriptor: int) -> bool:
    """Tell whether what is said goes into a file, which keeps it: a link that signs in has no business there."""
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def link_lines(api_url: str, environment: Mapping[str, str]) -> list[str]:
    """Return the lines with a new link; where none can be made, why."""
    try:
        link = sign_in_link(api_url, environment)
    except SetupError as error:
        return [f"No link that signs in: {error}"]
    return [
        f"Open the pages, signed in as the demo administrator (once, within {_LINK_LIVES_H} hours):",
        f"  {link}",
        "Another such link: headrace up --link",
    ]


def sign_in_link(api_url: str, environment: Mapping[str, str]) -> str:
    """Return a link that signs in once as the demo administrator, who owns what `headrace token` owns.

    They are made where they are missing, by the command, as the token is.

    Raises:
        SetupError: It could not be made.
    """
    words = ["users", "add", "admin@example.com", "--name", "Demo administrator", "--role", "admin"]
    words += ["--id", str(UUID(int=1)), "--exists-ok", "--hours", str(_LINK_LIVES_H)]
    made = subprocess.run(  # noqa: S603 - our own command
        headrace(*words), env=dict(environment), capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise SetupError(made.stderr.strip() or "the command that makes it failed")
    return f"{api_url}/sign-in/link?token={made.stdout.strip()}"


def _closing_lines(home: Path, facts: dict[str, Any]) -> list[str]:
    # These stay on a screen and in a log: the token is made where the line is pasted.
    made = shlex.join(["env", f"HEADRACE_HOME={home}", sys.executable, "-m", "app.cli", "token"])
    return [
        f"API: {facts['api_url']}  (its description: {facts['api_url']}/openapi.json)",
        f"What was sent, as it arrived (the page Outbox, for administrators): {facts['api_url']}/outbox",
        f"What was mailed: {facts['mail_url']}   Webhooks that arrived: {facts['receiver_url']}/deliveries",
        f"SMS and WhatsApp messages: {facts['messages_url']}",
        *_pages(facts["pages"]),
        f"Webhooks may reach private networks here, this machine too ({ALLOW_PRIVATE}); production refuses that",
        "Try:",
        f"  curl -s -H \"Authorization: Bearer $({made})\" '{facts['api_url']}/api/v1/executions?limit=5'",
    ]
