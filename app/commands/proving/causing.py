"""Causes the faults of a run at their times, each said before it is done."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psutil

from app.commands.proving.journal import Journal
from app.commands.proving.processes import frozen, kill, process_of
from app.commands.proving.progress import Progress, clock
from app.services.proving.ledger import Harm
from app.services.proving.schedule import FREEZE_S, Fault

_BACK_WITHIN_S: Final = 60.0
_LOOKS_EVERY_S: Final = 0.1


async def cause_all(home: Path, faults: Sequence[Fault], journal: Journal, progress: Progress) -> None:
    """Cause faults, from the beginning of the load on; one whose process is not there is left out, and said so."""
    began = time.monotonic()
    for fault in faults:
        await asyncio.sleep(max(0.0, began + fault.at - time.monotonic()))
        process = process_of(home, fault.role)
        if process is None:
            progress.say(f"{clock(fault.at)}  {fault.role} has no process just now: left out {fault.words}")
            continue
        progress.say(f"{clock(fault.at)}  {fault.words}, process {process.pid}")
        journal.note(await _caused(home, fault, process))


async def _caused(home: Path, fault: Fault, process: psutil.Process) -> Harm:
    at = time.time()
    if fault.kind == "freeze":
        with frozen(process):
            await asyncio.sleep(FREEZE_S)
        return Harm(fault.kind, fault.role, at, time.time())
    kill(process)
    return Harm(fault.kind, fault.role, at, at, await _back(home, fault.role, process.pid))


async def _back(home: Path, role: str, before: int) -> float | None:
    """Wait until a role has another process; returns when that was, None where it has none within a minute."""
    give_up = time.monotonic() + _BACK_WITHIN_S
    while time.monotonic() < give_up:
        now = process_of(home, role)
        if now is not None and now.pid != before:
            return time.time()
        await asyncio.sleep(_LOOKS_EVERY_S)
    return None
