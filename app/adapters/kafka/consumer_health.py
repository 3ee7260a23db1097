"""What makes a worker's consumer ready: Kafka answers it, it is in its group, and its records get finished."""

from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from aiokafka.errors import KafkaError

from app.adapters.kafka.faust_parts import ConsumerNotStarted
from app.adapters.kafka.stall import Reading, StallPolicy
from app.domain.errors import NotReadyError, UnreachableError

# Long before the watchdog would end the process, and longer than any wait of a healthy one.
STILL_S: Final = 30.0
HOLD_S: Final = 60.0
ASLEEP_S: Final = 20.0
# A rebalance takes a second or two: readiness does not flicker with each.
_REBALANCE_S: Final = 20.0


class ConsumerHealth:
    """Probes over one app's consumer; ``kafka`` comes first, the others go by what it found.

    Args:
        app: The role's app.
        clock: Monotonic seconds.
    """

    def __init__(self, app: Any, clock: Callable[[], float] = monotonic) -> None:
        self._app = app
        self._clock = clock
        self._policy = StallPolicy(still_seconds=STILL_S, hold_seconds=HOLD_S, asleep_seconds=ASLEEP_S)
        self._stuck: str | None = None
        self._member_at: float | None = None

    async def kafka(self) -> str:
        """Ask Kafka where the partitions end, over the connections that the consumer reads by.

        Raises:
            NotReadyError: The consumer has not started.
            UnreachableError: Kafka does not answer.
        """
        try:
            reading: Reading = await self._app.consumer.reading()
        except ConsumerNotStarted:
            raise NotReadyError("not connected yet") from None
        except (KafkaError, OSError) as error:
            self._policy.outage()
            raise UnreachableError(f"Kafka does not answer ({type(error).__name__})") from None
        self._stuck = self._policy.judge(reading, self._clock())
        return "answers"

    async def partitions(self) -> str:
        """Say how many partitions this worker has; none, where the group has more members than partitions, is fine.

        Raises:
            NotReadyError: It is not a member of its group, or ends.
        """
        if self._app.should_stop:
            raise NotReadyError("the process is ending")
        count = self._app.consumer.standing()
        if count is not None:
            self._member_at = self._clock()
            return f"{count} assigned" if count else "a member of the group, none left over: the others have them all"
        if self._member_at is None:
            raise NotReadyError("not a member of the group yet")
        since = self._clock() - self._member_at
        if since > _REBALANCE_S:
            raise NotReadyError(f"without partitions for {since:.0f} s: the group rebalances, or has thrown it out")
        return "the group rebalances"

    async def frontier(self) -> str:
        """Say that records get finished.

        Raises:
            NotReadyError: They do not, while Kafka answers.
        """
        if self._stuck is not None:
            raise NotReadyError(self._stuck)
        return "moves, or has nothing left to do"
