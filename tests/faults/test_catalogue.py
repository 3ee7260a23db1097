"""The catalogue: each kind of fault has one name, has what it needs, and is told of in the docs."""

from pathlib import Path
from typing import Final

import pytest

from app.adapters.kafka.external import ExternalKafka
from app.adapters.postgres.external import ExternalPostgres
from app.domain.kafka_connection import KafkaConnection
from app.embedded.broker import open_properties
from tests.faults.catalogue import LANES, scenarios
from tests.faults.grounds import second_door
from tests.faults.scenario import Scenario
from tests.support.servers import Servers

_PAGE: Final = Path(__file__).parents[2] / "docs" / "benchmarks.md"


@pytest.fixture
def every(tmp_path: Path) -> list[Scenario]:
    """The long form, on servers that are not ours."""
    return list(scenarios(not_ours(tmp_path), short=False))


def not_ours(home: Path) -> Servers:
    """Return servers that nobody may kill."""
    kafka, postgres = KafkaConnection("127.0.0.1:1"), "postgresql://127.0.0.1:1/x"
    return Servers(ExternalKafka(kafka), ExternalPostgres(postgres), home)


def test_each_scenario_of_the_short_form_is_in_one_lane(tmp_path: Path) -> None:
    """One that is added is run by ``make test`` too."""
    laned = [name for names in LANES.values() for name in names]
    assert sorted(laned) == sorted(one.name for one in scenarios(not_ours(tmp_path), short=True))


def test_the_long_form_has_each_kind_once(every: list[Scenario]) -> None:
    """By its name, which the report and SCENARIO go by; those of the short form among them."""
    names = [one.name for one in every]
    assert len(set(names)) == len(names)
    assert {name for lane in LANES.values() for name in lane} <= set(names)


def test_what_needs_servers_of_ours_says_so(every: list[Scenario], tmp_path: Path) -> None:
    """Whoever names servers of theirs is told what is not run."""
    said = {one.name: one.lacks(not_ours(tmp_path)) or "" for one in every}
    for name in ("broker-kill", "idle-connections", "broker-cut-off", "broker-lost"):
        assert "a broker of ours" in said[name]
    for name in ("postgres-kill", "connection-storm", "read-only", "disk-full"):
        assert "a Postgres of ours" in said[name]
    assert said["kills"] == ""


def test_who_is_behind_a_wire_has_a_broker_with_one(every: list[Scenario]) -> None:
    """And the other way round."""
    assert all(bool(one.behind) == (one.broker == "wired") for one in every)


def test_the_page_tells_of_each_kind(every: list[Scenario]) -> None:
    """A row with figures, or why there is none."""
    page = _PAGE.read_text()
    faults = page[page.index("## Faults") : page.index("## Hostile records")]
    assert [one.name for one in every if f"\n{one.name} " not in faults and f"`{one.name}`" not in faults] == []


def test_the_second_door_leads_by_the_wire() -> None:
    """Clients that come by it are told to come by it again; all others are not."""
    made = second_door(open_properties(1, 2, "/data"), 3, 4)
    assert made["listeners"].endswith(",FAR://127.0.0.1:3")
    assert made["advertised.listeners"] == "PLAINTEXT://127.0.0.1:1,FAR://127.0.0.1:4"
    assert made["listener.security.protocol.map"].endswith(",FAR:PLAINTEXT")
