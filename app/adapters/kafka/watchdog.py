"""The watchdog: ends a worker that is stuck although Kafka and Postgres answer, so that its supervisor restarts it.

Faust and aiokafka have stalled in ways that nothing inside them noticed; what was not acked is read again.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, Final, NoReturn

from app.adapters.kafka.stall import Reading, StallPolicy
from app.services.operations.outages import Outage

log = logging.getLogger(__name__)

EXIT_CODE: Final = 75  # sysexits.h: EX_TEMPFAIL, try again
_ANSWER_SECONDS: Final = 10.0

Probe = Callable[[], Awaitable[object]]


def end_process(reason: str) -> NoReturn:
    """End this process at once, without the orderly stop that would wait for what is stuck."""
    log.critical("stuck; the process ends, so that it is started anew", extra={"why": reason, "exit_code": EXIT_CODE})
    logging.shutdown()
    os._exit(EXIT_CODE)


class Watchdog:
    """Looks at a consumer from time to time.

    Args:
        consumer: Returns the consumer, whose ``reading()`` asks Kafka where the partitions end.
        policy: Says what counts as stuck.
        end: Called with what is stuck.
        probes: Each raises where something the agents need, such as Postgres, does not answer.
        every: Seconds between two looks.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        consumer: Callable[[], Any],
        policy: StallPolicy,
        *,
        end: Callable[[str], object] = end_process,
        probes: Sequence[Probe] = (),
        every: float = 10.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._consumer = consumer
        self._policy = policy
        self._end = end
        self._probes = probes
        self._every = every
        self._clock = clock
        self._outage = Outage("what the watchdog asks", log, say=repr)  # nothing counts as stuck meanwhile

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            await self.look()

    async def look(self) -> None:
        """Look once."""
        reading = await self._read()
        if reading is None:
            self._policy.outage()
            return
        reason = self._policy.judge(reading, self._clock())
        if reason is not None:
            self._end(reason)

    async def _read(self) -> Reading | None:
        """Return a reading; None where something that the agents need does not answer."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                for probe in self._probes:
                    await probe()
                reading: Reading = await self._consumer().reading()
        except Exception as error:  # noqa: BLE001  # anything that a probe raises means that it was not answered
            self._outage.failed(error)
            return None
        self._outage.served()
        return reading
