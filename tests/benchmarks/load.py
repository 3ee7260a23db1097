"""The load generator: a process of its own, paced by the clock and not by how fast anything answers (open loop).

Event ``seq`` of a run is due at ``start + seq / rate``; latency is counted from then, so a generator or a broker that
falls behind shows as latency instead of hiding it. What is printed last is one JSON object:
``{"start": epoch seconds, "count": n, "rate": per second, "late_ms": the generator's own worst delay}``.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

import orjson
import uvloop
from aiokafka import AIOKafkaProducer

SOURCE: Final = "/bench"
STATES: Final = ("SP", "RJ", "MG")
CUSTOMERS: Final = 5000
EVENT_BYTES: Final = 430
# What an event takes without items, and what each of them adds.
_BARE_BYTES: Final = 350
_ITEM_BYTES: Final = 77


def event_id(run: str, seq: int) -> str:
    """Id of one event; the measurement finds the execution by it."""
    return f"{run}-{seq}"


def make_event(run: str, seq: int, chance: random.Random, size: int = EVENT_BYTES) -> tuple[bytes, bytes]:
    """Return key and value of a paid order that meets both conditions of the job; of about ``size`` bytes."""
    customer = f"customer-{chance.randrange(CUSTOMERS)}"
    total = chance.randint(10_001, 90_000) / 100
    items = [{"product_id": f"product-{chance.randrange(999)}", "category": "auto", "price": total, "freight": 9.5}]
    items *= max(0, round((size - _BARE_BYTES) / _ITEM_BYTES))
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id(run, seq),
        "source": SOURCE,
        "type": "order.paid",
        "subject": customer,
        "time": "2026-01-01T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "order": {"id": f"order-{run}-{seq}", "total": total, "currency": "BRL", "items": items, "status": "paid"},
            "customer": {
                "id": customer,
                "city": "são paulo",
                "state": chance.choice(STATES),
                "orders": 1,
                "ltv": total,
            },
        },
    }
    return customer.encode(), orjson.dumps(event)


class Load:
    """One run: which events, where to, how fast (``rate`` 0: as fast as it goes)."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._bootstrap = given.bootstrap
        self._topic = given.topic
        self._rate = given.rate
        self._start = given.start
        chance = random.Random(given.run)
        self._count = given.count
        made = (make_event(given.run, seq, chance, given.bytes) for seq in range(given.count))
        # What is sent for an hour is too much to be made before; the rest is, so that making it is not measured.
        self._events: Iterable[tuple[bytes, bytes]] = made if given.endless else list(made)

    async def send(self) -> dict[str, Any]:
        """Produce all events; returns what is printed once the last one is acknowledged."""
        producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all", linger_ms=0, max_batch_size=262_144)
        await producer.start()
        try:
            start, late = await (self._paced(producer) if self._rate else self._at_once(producer))
        finally:
            await producer.stop()
        return {"start": start, "count": self._count, "rate": self._rate, "late_ms": round(late * 1000, 1)}

    async def _at_once(self, producer: AIOKafkaProducer) -> tuple[float, float]:
        start = time.time()
        await asyncio.gather(*[await producer.send(self._topic, value, key) for key, value in self._events])
        return start, 0.0

    async def _paced(self, producer: AIOKafkaProducer) -> tuple[float, float]:
        start, late, sent = self._start or time.time() + 0.1, 0.0, deque[asyncio.Future[Any]]()
        for seq, (key, value) in enumerate(self._events):
            due = start + seq / self._rate
            if (ahead := due - time.time()) > 0:
                await asyncio.sleep(ahead)
            late = max(late, time.time() - due)
            sent.append(await producer.send(self._topic, value, key))
            while sent and sent[0].done():
                sent.popleft().result()
        await asyncio.gather(*sent)
        return start, late


def main() -> None:
    """Read the arguments, send, print the outcome."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--bootstrap", "--topic", "--run"):
        parser.add_argument(name, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0.0, help="events a second; 0: as fast as it goes")
    parser.add_argument("--start", type=float, default=0.0, help="when the first is due, in epoch seconds; 0: at once")
    parser.add_argument("--endless", action="store_true", help="make each event when it is due, not all before")
    parser.add_argument("--bytes", type=int, default=EVENT_BYTES, help="about how large an event is")
    sys.stdout.write(orjson.dumps(uvloop.run(Load(parser.parse_args()).send())).decode() + "\n")


if __name__ == "__main__":
    main()
