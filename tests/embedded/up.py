"""``headrace`` as a process, with an installation of the test's own."""

import asyncio
import sys


async def headrace(environment: dict[str, str], *arguments: str) -> str:
    """Run a command that has to succeed, under a umask that hides nothing, and return what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app.cli",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        umask=0,
    )
    out, _ = await process.communicate()
    said = out.decode()
    assert process.returncode == 0, said
    return said
