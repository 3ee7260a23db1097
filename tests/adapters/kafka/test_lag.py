"""A worker's lag: records that are not finished, by what it knows without asking Kafka."""

from dataclasses import dataclass, field

from faust.types import TP

from app.adapters.kafka.frontier import Frontier, Lane
from app.adapters.kafka.lag import lags, stills
from tests.support.beginning import begun

ORDERS, TAGS = TP("events.order", 0), TP("events.tag", 3)


@dataclass
class Message:
    """What the frontier needs of a message."""

    offset: int
    size: int = 1
    state: int = 0
    lane: Lane = field(init=False)

    def lighten(self) -> None:
        """Weigh nothing more."""
        self.size = 0


class Consumer:
    """Knows two partitions: where they end, and where fetching goes on."""

    def __init__(self) -> None:
        self.now = 100.0
        self.frontier = Frontier(lambda: self.now)
        self.ends: dict[TP, int] = {ORDERS: 50}
        self.positions = {ORDERS: 20, TAGS: 7}

    def agents_partitions(self) -> list[TP]:
        return [ORDERS, TAGS]

    def end_of(self, tp: TP) -> int | None:
        return self.ends.get(tp)

    def position_of(self, tp: TP) -> int | None:
        return self.positions.get(tp)


def of(consumer: Consumer, *offsets: int) -> list[Message]:
    """Fetch records of the orders, and begin on them."""
    made = [Message(offset) for offset in offsets]
    consumer.frontier.fetched(ORDERS, 1, made)
    begun(consumer.frontier, made)
    return made


def test_lag_counts_from_the_first_record_that_is_not_finished() -> None:
    """Fetched or not; where all that was fetched is finished it counts from where fetching goes on."""
    consumer = Consumer()
    first, second = of(consumer, 18, 19)
    assert lags(consumer) == {("events.order", "0"): 32.0}
    consumer.frontier.done(second)
    assert lags(consumer) == {("events.order", "0"): 32.0}
    consumer.frontier.done(first)
    assert lags(consumer) == {("events.order", "0"): 30.0}


def test_a_partition_of_which_nothing_is_known_has_no_lag_yet() -> None:
    """No number is better than a wrong one; what was passed by markers of transactions is no lag."""
    consumer = Consumer()
    assert ("events.tag", "3") not in lags(consumer)
    consumer.ends[TAGS] = 6
    assert lags(consumer)["events.tag", "3"] == 0.0


def test_a_partition_is_still_while_its_first_record_stays_unfinished() -> None:
    """Seconds since its head last moved; 0 where nothing is unfinished, however long nothing comes."""
    consumer = Consumer()
    first, second = of(consumer, 18, 19)
    consumer.now += 30
    assert stills(consumer) == {("events.order", "0"): 30.0, ("events.tag", "3"): 0.0}
    consumer.frontier.done(first)
    consumer.now += 5
    assert stills(consumer)["events.order", "0"] == 5.0
    consumer.frontier.done(second)
    consumer.now += 500
    assert stills(consumer)["events.order", "0"] == 0.0
