"""Run a program to its end and say in one error what went wrong."""

import os
import pwd
import subprocess
from pathlib import Path
from typing import Any

from app.domain.errors import SetupError

# As for children: Kafka's format writes its data with it.
_UMASK = 0o077


def run_tool(
    argv: list[str], doing: str, timeout: float = 120.0, user: str | None = None, cwd: Path | None = None
) -> None:
    """Run a program to its end.

    Args:
        argv: Program and arguments.
        doing: What it does, for the error.
        timeout: Seconds.
        user: Run as this user (only root can); None stays.
        cwd: Working directory; None stays.

    Raises:
        SetupError: It failed or took too long; the message ends with its last lines.
    """
    as_user: dict[str, Any] = {}
    if user is not None:
        entry = pwd.getpwnam(user)
        as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    environment = {**os.environ, "HOME": pwd.getpwnam(user).pw_dir} if user else None
    try:
        done = subprocess.run(  # noqa: S603 - our own commands, no shell
            argv,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            cwd=cwd,
            env=environment,
            umask=_UMASK,
            **as_user,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{doing} failed: {error}") from None
    if done.returncode:
        raise SetupError(f"{doing} failed:\n" + "\n".join((done.stdout + done.stderr).splitlines()[-5:]))
