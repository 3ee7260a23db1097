"""``python -m tests.reconcile.run FILE.jsonl[.gz]``: real events through the real stack, compared pair by pair.

Prints a table, one line a workflow, and ends with 1 on any difference.
"""

import argparse
import asyncio
import gzip
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from app.embedded.mail import Mailbox
from app.embedded.message_providers import MessageProviders
from app.embedded.webhook_receiver import WebhookReceiver
from tests.reconcile.compare import Line
from tests.reconcile.oracle import Oracle
from tests.reconcile.session import Places, reconcile
from tests.support.providers import LOGIN
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import Stack

_SHOWN = 10
_STARTED = time.monotonic()


def say(text: str) -> None:
    """Say how far it is, on stderr."""
    sys.stderr.write(f"[{time.monotonic() - _STARTED:6.1f} s] {text}\n")


def read_lines(path: Path) -> list[str]:
    """Return a file's events, one JSON text each."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    return [line for line in text.split("\n") if line.strip()]


def table(lines: Sequence[Line]) -> str:
    """Return the outcome as text: the numbers of each workflow, then the first differences of each."""
    rows: list[tuple[str, ...]] = [("workflow", "pairs", "met", "not met", "effects", "differences")]
    rows += [tuple(map(str, _cells(line))) for line in (*lines, _total(lines))]
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    text = [row[0].ljust(widths[0]) + "".join(map("{:>{}}".format, row[1:], widths[1:])) for row in rows]
    for line in lines:
        text += [f"{line.name}: {difference}" for difference in line.differences[:_SHOWN]]
    return "\n".join(text)


def _cells(line: Line) -> tuple[str | int, ...]:
    return (line.name, line.pairs, line.met, line.pairs - line.met, line.effects, len(line.differences))


def _total(lines: Sequence[Line]) -> Line:
    total = Line("total")
    for line in lines:
        total.pairs += line.pairs
        total.met += line.met
        total.effects += line.effects
        total.differences += line.differences
    return total


async def run(place: Servers, events: list[str]) -> list[Line]:
    """Start everything, reconcile, stop everything."""
    product, raw = place.fresh_database("reconcile"), place.fresh_database("reconcile_oracle")
    places = Places(WebhookReceiver(kept=1_000_000), Mailbox(), MessageProviders(LOGIN))
    await places.receiver.start()
    await places.mailbox.start()
    await places.providers.start()
    try:
        say("starting every role")
        prefix = f"reconcile-{uuid4().hex[:8]}."
        async with Stack(place.bootstrap, product, prefix, place.home, environment=places.environment()) as stack:
            return await reconcile(stack, places, Oracle(raw), events, say)
    finally:
        await places.providers.stop()
        await places.mailbox.stop()
        await places.receiver.stop()


def main() -> None:
    """Read the arguments, run, print, and say by the exit code whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=Path, help="a .jsonl or .jsonl.gz file, one CloudEvent a line")
    parser.add_argument("--limit", type=int, help="only the first so many events")
    given = parser.parse_args()
    events = read_lines(given.events)[: given.limit]
    say(f"{len(events)} events; starting Kafka and Postgres")
    with servers(harness_home("reconcile")) as place:
        lines = asyncio.run(run(place, events))
    sys.stdout.write(table(lines) + "\n")
    sys.exit(1 if any(line.differences for line in lines) else 0)


if __name__ == "__main__":
    main()
