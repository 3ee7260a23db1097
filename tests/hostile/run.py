"""``make hostile``: hostile records on every topic among good events under kills; writes ``build/hostile.json``.

python -m tests.hostile.run --seed 7         other records
python -m tests.hostile.run --short          fewer of them, in about two minutes
python -m tests.hostile.run --only nested    only the kinds whose names hold that
"""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import uuid4

import orjson

from app.actions.registry import REGISTRY
from app.adapters.kafka.admin import ensure_topics
from app.domain.kafka_connection import KafkaConnection
from app.embedded.free_ports import pick_ports
from app.embedded.mail import Mailbox
from app.embedded.webhook_receiver import WebhookReceiver
from app.settings import Settings
from app.topics import Topics, TopicSpec, declare
from tests.benchmarks.progress import say
from tests.hostile.grounds import foreign_topic, name_of, source_settings
from tests.hostile.judge import Report
from tests.hostile.planted import READERS
from tests.hostile.session import EVERY_ROLE, Place, Size, under_fire
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers
from tests.support.stack import Stack

REPORT: Final = Path("build/hostile.json")
FULL: Final = Size(5_000, 300, 2)
SHORT: Final = Size(600, 40, 1)
_COUNTING: Final = ("matcher", "sources")


async def run(on: Servers, seed: int, size: Size) -> Report:
    """Run once, on a fresh database and fresh topics."""
    database = on.fresh_database("hostile")
    home = on.home / "stack"
    await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
    topics = Topics(f"h{uuid4().hex[:8]}.")
    mailbox, receiver = Mailbox(), WebhookReceiver()
    await mailbox.start()
    await receiver.start()
    await ensure_topics(KafkaConnection(on.bootstrap), _specs(topics), replication_factor=1)
    metrics = dict(zip(_COUNTING, pick_ports(len(_COUNTING)), strict=True))
    try:
        say("starting every role")
        async with Stack(
            on.bootstrap,
            database,
            topics.prefix,
            home,
            roles=dict.fromkeys(EVERY_ROLE, 1),
            environment=_environment(topics, mailbox),
            modules=dict.fromkeys(READERS, "tests.support.faulty_worker"),
            by_role={role: {"HEADRACE_METRICS_PORT": str(port)} for role, port in metrics.items()},
        ) as stack:
            return await under_fire(Place(stack, receiver, mailbox, metrics), seed, size)
    finally:
        await receiver.stop()
        await mailbox.stop()
        await remove_topics(on.bootstrap, name_of(topics))


def _environment(topics: Topics, mailbox: Mailbox) -> dict[str, str]:
    return {
        "HEADRACE_SMTP_HOST": "127.0.0.1",
        "HEADRACE_SMTP_PORT": str(mailbox.smtp_port),
        "HEADRACE_SOURCES": orjson.dumps([source_settings(topics)]).decode(),
    }


def _specs(topics: Topics) -> Iterator[TopicSpec]:
    """Yield every topic, one of another system too; each takes records of any time, as Kafka did until 3.6."""
    settings = Settings(topic_prefix=topics.prefix)
    for spec in (*declare(settings, REGISTRY.names()), TopicSpec(foreign_topic(topics), 2)):
        yield replace(spec, config={**spec.config, "message.timestamp.after.max.ms": str(2**63 - 1)})


def _shown(topic: str) -> str:
    return topic[9:] if topic.startswith("h") and topic[9:10] in {".", "-"} else topic


def show(report: Report) -> None:
    """Print the tables, and what is wrong below them."""
    write = sys.stdout.write
    write(f"\n{'topic':<60}{'bad':>6}{'lettered':>10}\n")
    for topic, count in report.by_topic.items():
        write(f"{_shown(topic):<60}{count['bad']:>6}{count['lettered']:>10}\n")
    write(f"\n{'role':<26}{'restarts':>9}{'first third':>13}{'last third':>12}{'peak MiB':>10}\n")
    for role, memory in report.memory.items():
        write(f"{role:<26}{report.restarts.get(role, 0):>9}")
        write(f"{memory['first']:>13.1f}{memory['last']:>12.1f}{memory['peak']:>10.1f}\n")
    write(
        f"\ngood {report.good}, executed {report.executed}, lost {report.lost}, doubled {report.doubled}"
        f" (marked: {report.doubled_marked}); bad {report.bad}, lettered {report.lettered};"
        f" kills {report.kills}, restarts beyond them {report.restarts_beyond_kills}"
        f" (for planted crashes: {report.restarts_for_crashes});"
        f" {report.seconds:.0f} s: {'holds' if report.holds else 'DOES NOT HOLD'}\n"
    )
    for what in report.wrong:
        write(f"    {what[:300]}\n")
    sys.stdout.flush()


def main() -> None:
    """Read the arguments, run, write, show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with servers(harness_home("hostile")) as on:
        size = SHORT if options.short else FULL
        report = asyncio.run(run(on, options.seed, replace(size, only=options.only)))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_bytes(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
    show(report)
    sys.exit(0 if report.holds else 1)


if __name__ == "__main__":
    main()
