"""One run of ``headrace prove``: prepare, load, faults, wait, recount, and remove what it has made in any case."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from app.commands.api_client import ApiClient, path_of
from app.commands.proving import workflows
from app.commands.proving.causing import cause_all
from app.commands.proving.ending import Ending
from app.commands.proving.journal import Journal
from app.commands.proving.progress import Progress, clock
from app.commands.proving.receiver import Receiver
from app.commands.proving.recount import recount, rows_of
from app.commands.proving.sending import LoadSender
from app.commands.proving.witness import MeddledError, Witness
from app.domain.errors import HeadraceError, SetupError
from app.services.proving.judge import Verdict, judge
from app.services.proving.ledger import Arrival
from app.services.proving.load import Load
from app.services.proving.schedule import Fault

_FIRST_WITHIN_S: Final = 30.0
_QUIET_S: Final = 90.0
_CRM_EVERY_S: Final = 1.0
_WEBHOOKS_EVERY_S: Final = 0.5
_ROWS_EVERY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to do.

    Attributes:
        seconds: How long the load flows.
        rate: Events a second.
        faults: In the order of their times.
        listen: Host and port of the receiver.
        receiver_url: Where the installation reaches it; None: where it listens.
        home: Of what `headrace up` runs here, for the faults.
    """

    seconds: float
    rate: float
    faults: Sequence[Fault]
    listen: tuple[str, int]
    receiver_url: str | None
    home: Path


class Run:
    """One run.

    Args:
        api: Of the installation; a patient one.
        sender: Sends the load.
        plan: What to do.
        load: What is sent.
        journal: Where it is written down.
        progress: Says how far it is.
    """

    def __init__(  # noqa: PLR0917 - what a run is made of
        self, api: ApiClient, sender: LoadSender, plan: Plan, load: Load, journal: Journal, progress: Progress
    ) -> None:
        self._api = api
        self._sender = sender
        self._plan = plan
        self._load = load
        self._journal = journal
        self._progress = progress
        self._first = asyncio.Event()
        self._witness = Witness(api, load, {})
        self._tried = 0
        self._rows: dict[UUID, list[str]] = {}
        self._flows = False

    async def prove(self) -> Verdict:
        """Run it, and return what came of it.

        Raises:
            SetupError: The way from event to webhook is not open, or the API took nothing for two minutes.
            MeddledError: Somebody removed what the run had made.
        """
        word = secrets.token_urlsafe(18)
        receiver = Receiver(*self._plan.listen, word, self._arrived)
        url = self._url(await receiver.start())
        try:
            made = await asyncio.to_thread(workflows.make, self._api, self._load, f"{url}/{word}")
            self._witness = Witness(self._api, self._load, made)
            await self._try_the_way(url)
            self._flows = True
            await self._flow()
            return await self._count()
        except MeddledError:
            self._flows = False  # what did not come will not
            raise
        finally:
            self._progress.close()
            await self._remove()
            await receiver.stop()

    def _url(self, port: int) -> str:
        host = self._plan.listen[0]
        return (self._plan.receiver_url or f"http://{f'[{host}]' if ':' in host else host}:{port}").rstrip("/")

    def _arrived(self, arrival: Arrival) -> None:
        self._journal.note(arrival)
        self._first.set()

    async def _try_the_way(self, url: str) -> None:
        """Send events until the first webhook arrives: the matchers know of the workflows within a second or so."""
        self._progress.say(f"Trying the way from an event to the receiver at {url}")
        give_up = time.monotonic() + _FIRST_WITHIN_S
        while time.monotonic() < give_up:
            self._tried += 1
            await self._sender.taken(range(-self._tried, 1 - self._tried))
            try:
                async with asyncio.timeout(1.0):
                    await self._first.wait()
            except TimeoutError:
                continue
            if self._load.crm:
                await self._try_the_crm()
            return
        raise SetupError(await asyncio.to_thread(self._why_not, url))

    async def _try_the_crm(self) -> None:
        """Wait until the tag of an event that tried the way shows in the CRM that the API shows."""
        give_up = time.monotonic() + _FIRST_WITHIN_S
        while time.monotonic() < give_up:
            if any(await asyncio.to_thread(lambda: [*workflows.customers_of(self._api, self._load.customers)])):
                await asyncio.to_thread(self._witness.tag, round(self._plan.seconds * self._plan.rate))
                return
            await asyncio.sleep(_CRM_EVERY_S)
        raise SetupError(
            f"no tag showed in the CRM of the API in {_FIRST_WITHIN_S:.0f} s: where actions go to another one "
            "(HEADRACE_CRM_URL), leave it out with --no-crm; else see `headrace status`"
        )

    def _why_not(self, url: str) -> str:
        query = {"event_type": self._load.event_type, "workflow_id": self._load.ids["hook"], "limit": 1}
        rows = self._api.call("GET", path_of("executions"), query=query)["items"]
        if not rows:
            return (
                f"no event came through in {_FIRST_WITHIN_S:.0f} s, and none is in the log: do all roles run? "
                "`headrace status` shows them"
            )
        return (
            f"the installation did not reach the receiver at {url}: {rows[0]['error'] or rows[0]['status']}\n"
            "  --receiver-url says where it finds this machine; that it may go to a private address is said by "
            "HEADRACE_WEBHOOK_ALLOW_NETWORKS of its executors and API (docs/proving.md)"
        )

    async def _flow(self) -> None:
        """Send the load, and cause the faults beside it."""
        plan = self._plan
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._sender.flow(plan.seconds, plan.rate, self._show))
                group.create_task(cause_all(plan.home, plan.faults, self._journal, self._progress))
        except* HeadraceError as several:
            raise several.exceptions[0] from None

    def _show(self, elapsed: float) -> None:
        sent = len(self._journal.ledger.sent)
        whole = f"{clock(elapsed)} of {clock(self._plan.seconds)}"
        self._progress.show(f"{whole}  {sent:,} events sent, {len(self._journal.ledger.arrivals):,} webhooks arrived")

    async def _count(self) -> Verdict:
        """Wait until all is there, or nothing has come for a while, then recount."""
        ledger = self._journal.ledger
        await asyncio.to_thread(self._witness.check)
        wanted = sum(1 for _ in self._load.effects(ledger.sent))
        await self._settled("webhooks", wanted, self._webhooks, every=_WEBHOOKS_EVERY_S)
        executions = dict(self._load.expected(ledger.sent))

        async def logged() -> int:
            self._rows = await asyncio.to_thread(rows_of, self._api, self._load)
            return sum(execution in self._rows for execution in executions)

        await self._settled("rows of the log", len(executions), logged, every=_ROWS_EVERY_S)
        self._flows = False
        found = await asyncio.to_thread(recount, self._api, self._load, ledger, self._rows)
        await asyncio.to_thread(self._witness.check)  # also whether it was while we recounted
        return judge(self._load, ledger, found)

    async def _webhooks(self) -> int:
        return len({one.key for one in self._journal.ledger.arrivals if one.number >= 0})

    async def _settled(self, what: str, wanted: int, count: Callable[[], Awaitable[int]], *, every: float) -> None:
        """Wait until all that is wanted is there, or no more of it has come for a while."""
        seen, last = -1, time.monotonic()
        while True:
            now = await count()
            if now >= wanted:
                return
            if now > seen:
                seen, last = now, time.monotonic()
            if time.monotonic() - last > _QUIET_S:
                self._progress.say(f"{wanted - now:,} {what} have not come; none came for {_QUIET_S:.0f} s")
                return
            self._progress.show(f"waiting for the last {wanted - now:,} {what}")
            await asyncio.sleep(every)

    async def _remove(self) -> None:
        """Remove the workflows; where that fails the next run does it, and this one's outcome stands."""
        if not self._load.ids:
            return
        self._progress.say("Removing what this run has made")
        events = (range(-self._tried, 0), self._journal.ledger.sent)
        begun = {execution for some in events for execution, _ in self._load.expected(some)} - self._rows.keys()
        ending = Ending(self._api, self._load, self._progress)
        try:
            await ending.put_away(begun, patient=self._flows)
        except HeadraceError as error:
            self._progress.say(f"not all could be removed ({error}); `headrace prove --clean` does it")
