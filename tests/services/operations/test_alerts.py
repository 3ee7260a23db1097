"""The alerts of the scheduler: each change goes to each channel once, whatever is in the way."""

from datetime import UTC, datetime

import pytest

from app.domain.alert_rules import BY_NAME, ROLES
from app.ports.heartbeats import Heartbeat, Process
from app.ports.queue_status import Lane
from app.services.operations.alert_readings import of_heartbeats
from app.services.operations.alerts import AlertLoop, AlertTimes
from tests.support.alerts import MemoryAlerts, MemoryChannel
from tests.support.depths import MemoryDepths

TIMES = AlertTimes(every_s=15, gap_s=60)


def beat(
    role: str, *, instance: str = "1", age_s: float = 1, starts: int = 1, stopped: bool = False, **figures: float
) -> Heartbeat:
    """A process's heartbeat."""
    process = Process(role, instance, "host", 1, "0.1.0", datetime.now(UTC))
    named = {f"headrace_{name}": value for name, value in figures.items()}
    return Heartbeat(process, age_s, starts=starts, figures=named, stopped=stopped)


class World:
    """A loop over fakes, with a clock that tests turn."""

    def __init__(self) -> None:
        self.store = MemoryAlerts()
        self.store.beats = [beat(role) for role in ROLES]
        self.depths = MemoryDepths()
        self.channels = [MemoryChannel("ops"), MemoryChannel("pager")]
        self.store.time = 1_000_000.0

    async def look(self, seconds: float = 15) -> None:
        """Look once, so many seconds later, by a loop that has just been made: nothing is kept but in the store."""
        self.store.time += seconds
        lanes = [Lane("sink", "g", "executions"), Lane("matcher", "g", "events.order")]
        loop = AlertLoop(self.store, self.depths, lanes, self.channels, times=TIMES)
        async with self.store.lead() as session:
            await loop.look(session)

    @property
    def titles(self) -> list[str]:
        """What the first channel got."""
        return [title for title, _ in self.channels[0].sent]


@pytest.fixture
def world() -> World:
    """Everything is well."""
    return World()


async def test_nothing_is_told_while_all_is_well(world: World) -> None:
    """However often it looks."""
    for _ in range(50):
        await world.look()
    assert not world.titles


async def test_a_change_is_told_once_to_each_channel(world: World) -> None:
    """By whichever scheduler: each look is by another one. Then that it is over, once."""
    world.depths.known["executions"] = 1001
    for _ in range(60):
        await world.look()
    world.depths.known["executions"] = 0
    for _ in range(60):
        await world.look()
    told = ["Headrace: 1 firing", "Headrace: 1 resolved"]
    assert [[title for title, _ in channel.sent] for channel in world.channels] == [told, told]
    assert "sink has 1001 records to do" in world.channels[0].sent[0][1]


async def test_what_changes_together_is_one_message(world: World) -> None:
    """Every role is gone at once: one message of all of them, not eight."""
    world.store.beats = []
    for _ in range(10):
        await world.look()
    assert world.titles == [f"Headrace: {len(ROLES)} firing"]


async def test_a_channel_gets_at_most_one_message_a_minute(world: World) -> None:
    """What changes meanwhile is in the next one; what came and went in between was no news."""
    world.store.beats = [beat(role, partitions_on_trial=float(role == "sink")) for role in ROLES]
    await world.look()
    world.store.beats = [beat(role, partitions_on_trial=1.0) for role in ROLES]
    for _ in range(3):
        await world.look()
    assert world.titles == ["Headrace: 1 firing"]
    await world.look()
    assert world.titles == ["Headrace: 1 firing", f"Headrace: {len(ROLES) - 1} firing"]


async def test_a_channel_that_fails_is_tried_again_and_holds_nothing_up(world: World) -> None:
    """Ever more rarely, and told then what is so then; the other one is told at once."""
    world.channels[1].failing = True
    world.store.read["set_aside"] = {"": 3.0}
    for _ in range(8):
        await world.look()
    telling = await world.store.telling("pager")
    assert telling.tries >= 2
    assert "answered 500" in telling.error
    assert world.titles == ["Headrace: 1 firing"]
    world.channels[1].failing = False
    await world.look(1000)
    assert [title for title, _ in world.channels[1].sent] == ["Headrace: 1 firing"]
    assert (await world.store.telling("pager")).tries == 0


async def test_kafka_s_silence_changes_nothing(world: World) -> None:
    """A depth that is not known neither fires nor resolves; the rest is judged."""
    world.depths.known["executions"] = 2000
    for _ in range(30):
        await world.look()
    world.depths.reachable = False
    world.store.beats = [beat(role) for role in ROLES if role != "matcher"]
    for _ in range(60):
        await world.look()
    assert world.titles == ["Headrace: 1 firing", "Headrace: 1 firing"]


def test_a_role_is_there_while_one_of_its_processes_is() -> None:
    """One that is silent, or has come to an orderly end, is not."""
    beats = [
        beat("matcher", age_s=31),
        beat("matcher", instance="2"),
        beat("sink", age_s=31),
        beat("admin", stopped=True),
    ]
    absent = of_heartbeats(beats)["absent_roles"]
    assert {role for role, missing in absent.items() if missing} == set(ROLES) - {"matcher"}


def test_figures_are_read_by_role() -> None:
    """The worst partition and start of a role, the sum of its trials, every process's counters by themselves."""
    read = of_heartbeats(
        [
            beat("sink", starts=4, partition_still_seconds=70, partitions_on_trial=1, dead_letters_total=2),
            beat("sink", instance="2", partition_still_seconds=5, partitions_on_trial=2, background_failures_total=1),
            beat("admin", http_errors_total=3, background_failures_total=1),
            beat("matcher", workflow_table_age_seconds=950),
        ]
    )
    assert read["partition_still"]["sink"] == 70
    assert read["starts"]["sink"] == 4
    assert read["on_trial"]["sink"] == 3
    assert read["dead_letters"] == {"sink/1": 2, "sink/2": 0, "admin/1": 0, "matcher/1": 0}
    assert read["internal_errors"]["sink/2"] == 1
    assert read["internal_errors"]["admin/1"] == 4
    assert read["table_age"] == {"": 950}


def test_every_alert_is_read_by_somebody(world: World) -> None:
    """Heartbeats, Postgres and Kafka together have a reading for each alert."""
    known = {*of_heartbeats(world.store.beats), "queue_depth"}
    known |= {
        "failure_rate",
        "execution_seconds",
        "outbox_age",
        "set_aside",
        "breakers",
    }  # the contract test reads them
    assert {alert.reading for alert in BY_NAME.values()} == known


async def test_administrators_are_told_that_the_api_answered_500(world: World) -> None:
    """The answer has an id and nothing else; who operates hears of it, and looks for the id in the log."""
    world.store.beats.append(beat("admin", http_errors_total=0))
    await world.look()
    world.store.beats[-1] = beat("admin", http_errors_total=1)
    await world.look()
    assert "1 errors in the code of admin itself" in str(world.channels[0].sent)
    assert "docs/alerts.md#headraceinternalerrors" in str(world.channels[0].sent)
