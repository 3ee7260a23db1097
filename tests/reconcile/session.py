"""One reconciliation: workflows in, events through the real stack, then the comparison."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson
import psycopg

from app.embedded.mail import Mailbox
from app.embedded.message_providers import MessageProviders
from app.embedded.webhook_receiver import WebhookReceiver
from tests.reconcile.compare import Comparison, Line
from tests.reconcile.observed import observe
from tests.reconcile.oracle import Expected, Oracle
from tests.reconcile.workflows import drafts
from tests.support.deadlines import scaled
from tests.support.providers import variables_of
from tests.support.stack import Stack

_CHUNK: Final = 500
_STUCK_AFTER_S: Final = 60.0
_COUNT = "SELECT count(*) FROM automation_logs WHERE automation_id = ANY(%s)"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the effects go: in this process, so that nothing is kept from us."""

    receiver: WebhookReceiver
    mailbox: Mailbox
    providers: MessageProviders

    def environment(self) -> dict[str, str]:
        """Return the settings that lead the stack there."""
        mail = {"HEADRACE_SMTP_HOST": "127.0.0.1", "HEADRACE_SMTP_PORT": str(self.mailbox.smtp_port)}
        return mail | variables_of(self.providers)


async def reconcile(stack: Stack, places: Places, oracle: Oracle, lines: Sequence[str], say: Say) -> list[Line]:
    """Run ``lines`` (JSON texts of events) through a stack that runs, and compare.

    Returns:
        One line a workflow, the last one for what nobody expected; no differences: all is well.
    """
    made = [(draft["name"], await stack.api.create_workflow(draft)) for draft in drafts(places.receiver.url)]
    await asyncio.to_thread(oracle.load, lines)
    expected = {name: await asyncio.to_thread(oracle.expected, name, workflow) for name, workflow in made}
    await stack.settled()
    say(f"{len(made)} workflows, {len(lines)} events, {sum(map(len, expected.values()))} executions expected")
    await _emit(stack, lines, say)
    ids = [workflow for _, workflow in made]
    await _wait(stack, ids, sum(map(len, expected.values())), say)
    events = await asyncio.to_thread(oracle.events)
    taken = (places.receiver.deliveries, places.mailbox.mails, places.providers.sent)
    seen = await asyncio.to_thread(observe, stack.database_url, ids, *taken)
    return compare_all(Comparison(seen, events), expected)


def compare_all(comparison: Comparison, expected: Mapping[str, Mapping[UUID, Expected]]) -> list[Line]:
    """Compare every workflow, then look for what none of them accounts for."""
    lines = [comparison.workflow(name, executions) for name, executions in expected.items()]
    return [*lines, comparison.extras()]


async def _emit(stack: Stack, lines: Sequence[str], say: Say) -> None:
    started = time.monotonic()
    for begin in range(0, len(lines), _CHUNK):
        await stack.emitter.emit_many([orjson.loads(line) for line in lines[begin : begin + _CHUNK]])
    say(f"emitted in {time.monotonic() - started:.1f} s")


async def _wait(stack: Stack, workflows: list[UUID], wanted: int, say: Say) -> None:
    """Wait until as many rows are there as are expected, or none has come for a minute: then compare what there is."""
    seen, moved, told = -1, time.monotonic(), 0.0
    async with await psycopg.AsyncConnection.connect(stack.database_url, autocommit=True) as connection:
        while seen < wanted and time.monotonic() - moved < scaled(_STUCK_AFTER_S):
            found = await (await connection.execute(_COUNT, (workflows,))).fetchone()
            now = int(found[0]) if found else 0
            seen, moved = (now, time.monotonic()) if now != seen else (seen, moved)
            if time.monotonic() - told > 2:
                told = time.monotonic()
                say(f"{seen} of {wanted} rows")
            await asyncio.sleep(0.2)
    say(f"{seen} of {wanted} rows")
