"""The watchdog: what counts as stuck, what does not, and that a worker that is stuck is ended."""

import pytest

from app.adapters.kafka.stall import Reading, StallPolicy
from app.adapters.kafka.watchdog import Watchdog

TP = "work-0"


@pytest.fixture
def policy() -> StallPolicy:
    """Sixty seconds still, three hundred unfinished."""
    return StallPolicy(still_seconds=60, hold_seconds=300, asleep_seconds=1000)


def at(position: int | None, end: int = 10, *, oldest: tuple[str, int, float] | None = None) -> Reading:
    """A reading of one partition."""
    return Reading({TP: position}, {TP: end}, oldest)


def verdicts(policy: StallPolicy, *readings: tuple[float, Reading]) -> list[str | None]:
    """What the policy says to each reading at its time."""
    return [policy.judge(reading, now) for now, reading in readings]


def test_behind_and_still_for_longer_than_allowed_is_stuck(policy: StallPolicy) -> None:
    """The verdict names the partition, how far it is, and since when."""
    assert verdicts(policy, (0, at(4)), (60, at(4)), (61, at(4))) == [
        None,
        None,
        "work-0 is read up to 4 of 10 and has not moved for 61 s",
    ]


def test_a_position_that_moves_is_not_stuck(policy: StallPolicy) -> None:
    """Slow is not stuck: each move starts the time anew."""
    assert verdicts(policy, (0, at(4)), (50, at(5)), (100, at(6)), (150, at(7))) == [None] * 4


def test_a_position_at_the_end_is_not_stuck(policy: StallPolicy) -> None:
    """An idle topic stays still for hours."""
    assert verdicts(policy, (0, at(10)), (5000, at(10))) == [None, None]


def test_what_comes_after_a_quiet_hour_is_not_late_at_once(policy: StallPolicy) -> None:
    """A look may fall between a record's arrival and its fetch; the time counts from when it is behind."""
    behind = at(10, end=11)
    assert verdicts(policy, (0, at(10)), (5000, at(10)), (5010, behind), (5070, behind)) == [None] * 4
    assert policy.judge(behind, 5071) == "work-0 is read up to 10 of 11 and has not moved for 61 s"


def test_a_position_that_never_becomes_known_is_stuck(policy: StallPolicy) -> None:
    """A partition that was assigned and is never fetched counts as standing at nothing."""
    assert verdicts(policy, (0, at(None)), (61, at(None)))[1] is not None
    assert verdicts(policy, (0, at(None, end=0)), (61, at(None, end=0))) == [None, None]


def test_a_partition_that_is_held_back_starts_anew_when_it_returns(policy: StallPolicy) -> None:
    """A full buffer is no stall of the fetch: the partition is missing from the readings meanwhile."""
    assert verdicts(policy, (0, at(4)), (50, Reading({}, {})), (100, at(4)), (150, at(4))) == [None] * 4


def test_a_record_unfinished_for_too_long_is_stuck(policy: StallPolicy) -> None:
    """However far the fetch has come."""
    assert verdicts(policy, (0, at(10)), (400, at(10, oldest=(TP, 7, 300)))) == [None, None]
    assert policy.judge(at(10, oldest=(TP, 7, 301)), 401) == (
        "the record at offset 7 of work-0 has been unfinished for 301 s"
    )


def test_an_outage_of_kafka_or_postgres_counts_nothing(policy: StallPolicy) -> None:
    """Agents wait an outage out with their records begun; the time counts from when both answer again."""
    policy.judge(at(4, oldest=(TP, 3, 0)), 0)
    policy.outage()
    assert verdicts(policy, (1000, at(4, oldest=(TP, 3, 1000))), (1060, at(4, oldest=(TP, 3, 1060)))) == [None, None]
    assert policy.judge(at(10, oldest=(TP, 3, 1301)), 1301) is not None


class Consumer:
    """A consumer that stands still."""

    async def reading(self) -> Reading:
        """Behind, and always at the same place."""
        return at(4)


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


async def test_the_watchdog_ends_a_stuck_worker_once_everything_answers(policy: StallPolicy) -> None:
    """While a probe raises it only waits; when all answer and the consumer stays still, it ends the process."""
    clock, ended, answers = Clock(), list[str](), [False]

    async def probe() -> None:
        if not answers[0]:
            raise ConnectionError("no Postgres")

    dog = Watchdog(Consumer, policy, end=ended.append, probes=[probe], clock=clock)
    for clock.now in (0, 100, 200):
        await dog.look()
    assert ended == []
    answers[0] = True
    for clock.now in (300, 330, 361):
        await dog.look()
    assert ended == ["work-0 is read up to 4 of 10 and has not moved for 61 s"]


def test_a_record_is_not_unfinished_for_as_long_as_the_process_stood_still() -> None:
    """Nobody could finish it meanwhile: its time counts from when somebody looks again."""
    policy = StallPolicy(still_seconds=60, hold_seconds=50, asleep_seconds=40)
    assert verdicts(policy, (0, at(10, oldest=(TP, 7, 5))), (600, at(10, oldest=(TP, 7, 605)))) == [None, None]
    assert verdicts(policy, (630, at(10, oldest=(TP, 7, 635))), (651, at(10, oldest=(TP, 7, 656))))[1] is not None


async def test_a_process_that_stood_still_is_not_ended_for_it() -> None:
    """The time of a SIGSTOP counts for nothing: only what is stuck for as long afterwards is."""
    clock, ended, policy = Clock(), list[str](), StallPolicy(still_seconds=60, hold_seconds=300, asleep_seconds=40)
    dog = Watchdog(Consumer, policy, end=ended.append, clock=clock)
    for clock.now in (10, 20, 83, 93, 123, 143):
        await dog.look()
    assert ended == []
    clock.now = 144
    await dog.look()
    assert ended == ["work-0 is read up to 4 of 10 and has not moved for 61 s"]
