"""Events of the main job into Kafka, by the load generator as a process of its own."""

import asyncio
import sys
from uuid import uuid4

import orjson

from tests.benchmarks.load import EVENT_BYTES
from tests.benchmarks.measure import Sent


async def send(
    bootstrap: str, topic: str, count: int, rate: float, *, size: int = EVENT_BYTES, run: str | None = None
) -> Sent:
    """Send ``count`` events at ``rate`` a second (0: as fast as it goes); returns once the last is acknowledged.

    Raises:
        RuntimeError: The generator failed; what it said is on stderr.
    """
    run = run or uuid4().hex[:8]
    given = {"bootstrap": bootstrap, "topic": topic, "run": run, "count": count, "rate": rate, "bytes": size}
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.load", *words, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the load generator failed; its error is above")
    said = orjson.loads(out)
    return Sent(run, count, rate, said["start"], said["late_ms"])
