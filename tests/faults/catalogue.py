"""Every kind of fault that is tried, in the order in which it is."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from tests.faults.clock import build_clock, jump, no_way_to_jump, told_time
from tests.faults.disk import no_way_to_fill
from tests.faults.full_disk import full_disk
from tests.faults.injuries import join_and_leave, kill_each, outage
from tests.faults.kafka_changes import lose_a_broker, more_partitions, nothing, to_earliest
from tests.faults.moods import moody
from tests.faults.scenario import EVERY_KIND, TWO_OF_EACH, Scenario, to_the_stack
from tests.faults.servers_ill import kill_server, no_broker_of_ours, no_postgres_of_ours, read_only, storm
from tests.faults.stops import freeze_each, freeze_the_first, rolling
from tests.faults.ways import away_from_postgres, away_from_the_broker, late
from tests.support.servers import Servers

# Of the short form, each with servers of its own: an outage is of its own lane alone.
LANES: Final = {"processes": ("kills", "join-leave"), "servers": ("broker-outage", "postgres-outage")}
OUTAGE_S: Final = 20.0
FROZEN_S: Final = 30.0
# Past the lease of a claim (37 s) and past what a group waits for a member (45 s).
LONG_S: Final = 60.0
_BEHIND: Final = ("matcher", "executor-system", "executor-crm", "executor-notification", "sink")


def scenarios(on: Servers, *, short: bool, idle_s: float = 60) -> Iterator[Scenario]:
    """Yield what is to be run; connections stand idle for ``idle_s``."""
    yield from _first(on, short=short)
    if not short:
        yield from _processes()
        yield from _servers(on)
        yield from _ways()
        yield from _kafka(on, idle_s)
        yield Scenario(
            "disk-full",
            full_disk(20),
            1_500,
            25,
            disk=True,
            lacks=no_way_to_fill,
            workflows=EVERY_KIND,
        )


def _first(on: Servers, *, short: bool) -> Iterator[Scenario]:
    events = 1_500 if short else 5_000
    yield Scenario("kills", to_the_stack(kill_each(1 if short else 3)), events, 75)
    yield Scenario("join-leave", to_the_stack(join_and_leave), 1_500 if short else 3_000, 75, entities=50)
    yield Scenario("broker-outage", to_the_stack(outage(on.kafka, OUTAGE_S)), 1_500, 50)
    yield Scenario("postgres-outage", to_the_stack(outage(on.postgres, OUTAGE_S)), 1_500, 50)


def _processes() -> Iterator[Scenario]:
    yield Scenario("freeze", freeze_each(FROZEN_S), 2_000, 25, workflows=EVERY_KIND)
    yield Scenario("freeze-long", freeze_the_first(LONG_S), 2_000, 25, workflows=EVERY_KIND, roles=TWO_OF_EACH)
    yield Scenario("rolling", rolling(1), 1_500, 25, workflows=EVERY_KIND)


def _servers(on: Servers) -> Iterator[Scenario]:
    yield Scenario(
        "broker-kill",
        kill_server(on.kafka, 2),
        1_500,
        25,
        lacks=no_broker_of_ours,
        workflows=EVERY_KIND,
    )
    yield Scenario(
        "postgres-kill",
        kill_server(on.postgres, 2),
        1_500,
        25,
        lacks=no_postgres_of_ours,
        workflows=EVERY_KIND,
    )
    yield Scenario("connection-storm", storm(20), 1_500, 25, lacks=no_postgres_of_ours, workflows=EVERY_KIND)
    yield Scenario("read-only", read_only(20), 1_500, 25, lacks=no_postgres_of_ours, workflows=EVERY_KIND)


def _ways() -> Iterator[Scenario]:
    yield Scenario("postgres-late", late(2.0, 30), 1_500, 25, wired=True, workflows=EVERY_KIND)
    yield Scenario("postgres-cut-off", away_from_postgres(45), 2_000, 25, wired=True, workflows=EVERY_KIND)
    yield Scenario(
        "broker-cut-off",
        away_from_the_broker(LONG_S),
        2_000,
        25,
        broker="wired",
        behind=_BEHIND,
        lacks=no_broker_of_ours,
        workflows=EVERY_KIND,
    )
    yield Scenario("destination", moody(0.3), 1_500, 25, entities=400, fickle=True, ordered=False)


def _kafka(on: Servers, idle_s: float) -> Iterator[Scenario]:
    yield Scenario("offsets-earliest", to_earliest, 1_500, 25, workflows=EVERY_KIND)
    yield Scenario("partitions-added", more_partitions, 1_500, 25, ordered=False, workflows=EVERY_KIND)
    yield Scenario(
        "idle-connections",
        nothing(idle_s),
        1_200,
        30,
        quiet_s=idle_s,
        broker="impatient",
        lacks=no_broker_of_ours,
        workflows=EVERY_KIND,
    )
    told = on.home / "clock" / "off"
    yield Scenario(
        "clock-jump",
        jump(told),
        1_500,
        25,
        environment=told_time(told),
        lacks=no_way_to_jump,
        prepare=partial(build_clock, told),
        workflows=EVERY_KIND,
    )
    yield Scenario(
        "broker-lost",
        lose_a_broker(OUTAGE_S),
        1_500,
        25,
        broker="three",
        lacks=no_broker_of_ours,
        workflows=EVERY_KIND,
    )
