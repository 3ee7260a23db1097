"""A worker process for tests: reads its topic by batches, prints what it does, one word and a value a line.

Run as ``python -m tests.integration.transport.worker BOOTSTRAP GROUP TOPIC INSTANCE FOLDER``. A value ``fail`` raises
in the agent. A value that starts with ``slow`` takes half a second.
"""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

from app.adapters.kafka.batches import ack, batches, begin_many
from app.factory import AgentSpec, build_app, run_worker


def say(word: str, value: str) -> None:
    """Print one line at once."""
    sys.stdout.write(f"{word} {value}\n")
    sys.stdout.flush()


async def work(stream: Any) -> None:
    """Read, and say what was finished."""
    say("up", "agent")
    async for batch in batches(stream, max_records=100):
        for message in begin_many(batch):
            value = message.value.decode()
            say("begun", value)
            if value == "fail":
                raise RuntimeError("the agent failed")
            if value.startswith("slow"):
                await asyncio.sleep(0.5)
            say("done", value)
            ack(message)


def main(bootstrap_servers: str, group: str, topic: str, instance: str, folder: str) -> None:
    """Run until a signal."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    run_worker(
        build_app(
            app_id=group,
            bootstrap_servers=bootstrap_servers,
            instance=instance,
            data_dir=Path(folder),
            agents=[AgentSpec("work", topic, work)],
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
