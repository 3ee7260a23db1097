"""``make worst-user``: what one user who does his worst costs another.

One worker of each role, settings as in production. A user's three workflows (a webhook, an e-mail, a tag) run at a
steady rate. In turns without and with somebody else, who does all at once, on the event types of those turns and the
same destination: sends events without the right to; has webhooks fail and hang, to have the destination taken for
broken; has as many workflows for every event of the first as his quota lets him; has templates that never end, and
templates and conditions that end just below the wall; and holds back the ends of requests. From when an event was due
until its row is committed, by kind, in the same run, so that the machine's noise meets both.

Prints a table, writes ``build/worst-user.json``, and fails where a p99 beside him is more than twice the one without.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from aiohttp import web

from app.domain.ids import execution_id
from app.embedded.free_ports import HOST
from app.embedded.mail import Mailbox
from app.settings import Settings
from tests.benchmarks.beside import KINDS, Found, Timer, Turns, actions, compared, conclude, event_of
from tests.benchmarks.measure import Rows
from tests.benchmarks.progress import say
from tests.benchmarks.villain import Villain
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import Stack

ALONE: Final = "alone"
BESIDE: Final = "beside"
_SOURCE: Final = "/worst"
_ROWS_WITHIN_S: Final = 120.0
# Only for as long as his workflows are made, so that it does not take minutes.
_MAKING: Final = {"RATE_LIMIT_PER_MINUTE": "1000"}


@asynccontextmanager
async def destination() -> AsyncIterator[str]:
    """Run a server that everybody's webhooks go to: ``/good`` answers, ``/fails`` 500, ``/hangs`` never; its URL."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/hangs":
            await asyncio.sleep(600)
        return web.Response(status=500 if request.path == "/fails" else 200)

    app = web.Application()
    app.router.add_route("*", "/{path}", answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    try:
        yield f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Victim:
    """The user whose executions are timed."""

    def __init__(self, stack: Stack, rows: Rows, url: str) -> None:
        self._stack = stack
        self._timer = Timer(stack, rows, within=_ROWS_WITHIN_S)
        self._url = url
        self._ids: dict[tuple[str, str], UUID] = {}
        # The others' workflows are on the event types of the turns beside them alone: they need not be switched.
        self.types = {(kind, turn): f"custom.w{uuid4().hex[:10]}" for kind in KINDS for turn in (ALONE, BESIDE)}

    async def prepare(self) -> None:
        """Make the workflows."""
        of_kind = actions(self._url)
        for which, event_type in self.types.items():
            draft = {"name": which[0], "trigger": {"type": event_type}, "actions": [{"order": 1, **of_kind[which[0]]}]}
            self._ids[which] = await self._stack.api.create_workflow(draft)
        await self._stack.settled()

    async def turn(self, which: str, seconds: float, rate: float, into: Turns) -> None:
        """Send at ``rate`` of each kind for so long, wait for every row, and add what came of it."""
        await self._timer.turn(seconds, dict.fromkeys(KINDS, rate), partial(self._made, which), into)

    def _made(self, which: str, kind: str) -> tuple[dict[str, Any], UUID | None]:
        event = event_of(_SOURCE, self.types[kind, which], text="x" * 2_000, many=list(range(500)))
        return event, execution_id(self._ids[kind, which], _SOURCE, event["id"])


async def measure(place: Servers, given: argparse.Namespace) -> list[Found]:
    """Measure in turns without and with him."""
    database = await asyncio.to_thread(place.fresh_database, "bench_worst_user")
    prefix, mailbox = f"worst-{uuid4().hex[:8]}.", Mailbox()
    await mailbox.start()
    mail = {"HEADRACE_SMTP_HOST": HOST, "HEADRACE_SMTP_PORT": str(mailbox.smtp_port)}
    say("starting every role")
    try:
        async with AsyncExitStack() as opened:
            url = await opened.enter_async_context(destination())
            stack = await opened.enter_async_context(
                Stack(
                    place.bootstrap,
                    database,
                    prefix,
                    place.home / "stack",
                    environment=mail,
                    by_role={"admin": _MAKING},
                )
            )
            connecting = psycopg.AsyncConnection.connect(database, autocommit=True)
            rows = Rows(await opened.enter_async_context(await connecting))
            victim = Victim(stack, rows, url)
            await victim.prepare()
            say("making his workflows, at the rate that he is let")
            theirs = [event_type for (_, turn), event_type in victim.types.items() if turn == BESIDE]
            villain = await opened.enter_async_context(Villain(stack, url, theirs, loops=given.loops))
            say(f"he was answered {dict(villain.answers)}; refused: {dict(villain.refusals)}")
            await stack.settled()
            await stack.again("admin", {"RATE_LIMIT_PER_MINUTE": str(_default("rate_limit_per_minute"))})
            alone, beside = await _turns(victim, villain, rows, given)
            failed = await (await rows.connection.execute(_FAILED)).fetchall()
    finally:
        await mailbox.stop()
        await remove_topics(place.bootstrap, prefix)
    if failed:
        raise RuntimeError(f"executions of the other user failed: {failed[:3]}")
    return compared("worst user", alone, beside)


_FAILED: Final = """
SELECT l.id, l.status, l.error_message FROM automation_logs l JOIN automations a ON a.id = l.automation_id
WHERE a.name IN ('webhook', 'e-mail', 'tag') AND l.status <> 'success' LIMIT 3
"""


def _default(setting: str) -> Any:
    return Settings.model_fields[setting].default


async def _turns(victim: Victim, villain: Villain, rows: Rows, given: argparse.Namespace) -> tuple[Turns, Turns]:
    """Alternate; the first seconds are for warming up."""
    alone, beside = Turns(), Turns()
    await victim.turn(ALONE, 5, given.rate, Turns())
    for number in range(1, given.rounds + 1):
        await victim.turn(ALONE, given.seconds, given.rate, alone)
        say(f"round {number}/{given.rounds}: alone")
        async with villain.at_his_worst():
            await victim.turn(BESIDE, given.seconds, given.rate, beside)
        say(f"round {number}/{given.rounds}: beside; he was answered {dict(sorted(villain.answers.items()))}")
        for line in await (await rows.connection.execute(_HIS)).fetchall():
            say("  his " + ", ".join(map(str, line)))
        await (await rows.connection.execute(_FORGET)).fetchall()
        await villain.stack.settled(120)
    return alone, beside


_HIS: Final = """
SELECT count(*) || ' executions', l.status, a.actions->0->>'type',
  left(coalesce(l.error_message, l.actions_executed->0->>'error', ''), 100)
FROM automation_logs l JOIN automations a ON a.id = l.automation_id WHERE a.name LIKE 'worst%'
GROUP BY l.status, 3, 4 UNION ALL
SELECT count(*) || ' waits', kind, left(reason, 100), '' FROM timers GROUP BY kind, left(reason, 100) ORDER BY 1 DESC
"""
_FORGET: Final = "DELETE FROM timers RETURNING 1"


def main() -> None:
    """Read the arguments, measure, print, write, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=10, help="the other user's executions a second of each kind")
    parser.add_argument("--seconds", type=float, default=30, help="of each turn")
    parser.add_argument("--loops", type=int, default=0, help="how many of his workflows set each other off")
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    say("starting Kafka and Postgres")
    with servers(harness_home("worst-user")) as place:
        place.stamp_commits()
        found = asyncio.run(measure(place, given))
    conclude("worst-user", found)


if __name__ == "__main__":
    main()
