"""The short form of ``make faults`` leaves nothing out."""

from pathlib import Path

from app.adapters.kafka.external import ExternalKafka
from app.adapters.postgres.external import ExternalPostgres
from app.domain.kafka_connection import KafkaConnection
from tests.faults.catalogue import LANES, scenarios
from tests.support.servers import Servers


def test_each_scenario_is_in_one_lane(tmp_path: Path) -> None:
    """One that is added is run by ``make test`` too."""
    nowhere = Servers(
        ExternalKafka(KafkaConnection("127.0.0.1:1")), ExternalPostgres("postgresql://127.0.0.1:1/x"), tmp_path
    )
    laned = [name for names in LANES.values() for name in names]
    assert sorted(laned) == sorted(one.name for one in scenarios(nowhere, short=True))
