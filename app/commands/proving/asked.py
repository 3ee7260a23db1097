"""From what was asked for to the report: what a run is made of, and its end by a signal."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

from app.commands.api_client import ApiClient, api_here
from app.commands.proving.journal import Journal
from app.commands.proving.processes import roles_here, the_only_one
from app.commands.proving.progress import Progress, clock
from app.commands.proving.run import Plan, Run
from app.commands.proving.sending import LoadSender
from app.commands.proving.written import write
from app.services.proving.judge import Verdict
from app.services.proving.load import MARK, Load, entities_for
from app.services.proving.report import Report
from app.services.proving.schedule import Fault, left_out, schedule


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says.

    Attributes:
        seconds: How long the load flows.
        rate: Events a second.
        kinds: Of faults.
        listen: Host and port of the receiver.
        receiver_url: Where the installation reaches it; None: where it listens.
        crm: Whether tags and notes are among the effects.
        home: Of what `headrace up` runs here.
    """

    seconds: float
    rate: float
    kinds: Sequence[str]
    listen: tuple[str, int]
    receiver_url: str | None
    crm: bool
    home: Path


def carry_out(api: ApiClient, asked: Asked, folder: Path | None) -> tuple[Report, Path]:
    """Run it, and return the report, and where its page is.

    Raises:
        ConflictError: Another one causes faults here.
        KeyboardInterrupt: It was broken off; what it had made is removed.
    """
    load = Load(uuid4().hex[:8], entities_for(round(asked.seconds * asked.rate)), asked.crm)
    roles = roles_here() if asked.kinds else []
    planned = schedule(asked.kinds, roles, asked.seconds)
    left = left_out(asked.kinds, roles, planned)
    folder, progress, began = folder or Path(f"{MARK}-{load.run}"), Progress(), datetime.now(UTC)
    plan = Plan(asked.seconds, asked.rate, planned, asked.listen, asked.receiver_url, asked.home)
    with the_only_one(asked.home) if asked.kinds else nullcontext(), closing(Journal(folder)) as journal:
        _announce(progress, planned, left)
        verdict = _ran(Run(api, LoadSender(api_here(), load, journal), plan, load, journal, progress))
    report = Report(
        run=load.run,
        began=f"{began:%Y-%m-%dT%H:%M:%SZ}",
        version=version("headrace"),
        seconds=asked.seconds,
        rate=asked.rate,
        entities=load.entities,
        crm=asked.crm,
        faults=asked.kinds,
        left_out=left,
        verdict=verdict,
    )
    return report, write(folder, report)


def _announce(progress: Progress, planned: Sequence[Fault], left: Sequence[str]) -> None:
    if planned:
        progress.say("Faults, each so long after the load has begun:")
        for one in planned:
            progress.say(f"  {clock(one.at)}  {one.words}")
    if left:
        progress.say(f"There is no time for: {', '.join(left)}; with more --minutes there is")


def _ran(run: Run) -> Verdict:
    """Run it; a signal ends it, and what it has made is removed, unless another one comes meanwhile.

    Raises:
        KeyboardInterrupt: There was a signal.
    """

    async def main() -> Verdict:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        if task is not None:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, task.cancel)
        return await run.prove()

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
