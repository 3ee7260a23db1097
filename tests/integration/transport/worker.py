"""A worker process for tests: reads its topic by batches, prints what it does, one word and a value a line.

Run as ``python -m tests.integration.transport.worker BOOTSTRAP GROUP TOPIC INSTANCE FOLDER HOLD``; HOLD is the
seconds that its watchdog, which looks four times a second, lets a record be unfinished. A value ``fail`` raises in the
agent, ``hang`` never ends, and one that starts with ``slow`` takes half a second.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from app.adapters.kafka.stall import StallPolicy
from app.adapters.kafka.watchdog import Watchdog
from app.domain.kafka_connection import KafkaConnection
from app.ports.record_source import RecordSource
from app.processes.faust_app import AgentSpec, build_app, run_worker
from app.processes.logs import set_up_logging
from tests.support.beginning import begun


def say(word: str, value: str) -> None:
    """Print one line at once."""
    sys.stdout.write(f"{word} {value}\n")
    sys.stdout.flush()


async def work(source: RecordSource[Any]) -> None:
    """Read, and say what was finished."""
    say("up", "agent")
    async for batch in source.batches(max_records=100):
        for message in begun(source, batch):
            value = message.value.decode()
            say("begun", value)
            if value == "fail":
                raise RuntimeError("the agent failed")
            if value == "hang":
                await asyncio.Event().wait()
            if value.startswith("slow"):
                await asyncio.sleep(0.5)
            say("done", value)
            source.ack(message)


def main(*arguments: str) -> None:
    """Run until a signal."""
    bootstrap_servers, group, topic, instance, folder, hold = arguments
    set_up_logging("work", "INFO", style="json", instance=instance)
    app = build_app(
        app_id=group,
        connection=KafkaConnection(bootstrap_servers),
        instance=instance,
        data_dir=Path(folder),
        agents=[AgentSpec("work", topic, work)],
    )
    policy = StallPolicy(still_seconds=60, hold_seconds=float(hold), asleep_seconds=40)
    app.run_beside("watchdog", Watchdog(lambda: app.consumer, policy, every=0.25).run)
    run_worker(app)


if __name__ == "__main__":
    main(*sys.argv[1:])
