"""How many copies a cluster gets, and what a topic that falls short costs: examples."""

import pytest

from app.adapters.kafka.replication import Replication, TopicState, shortcomings
from app.domain.errors import SettingsError
from app.topics import TopicSpec

THREE = Replication.of(3, 0)
DECLARED = {"cleanup.policy": "delete", "retention.ms": "1000"}
SPEC = TopicSpec("t", 1, DECLARED)


@pytest.mark.parametrize(
    ("brokers", "asked", "factor", "least"),
    [(1, 0, 1, 1), (2, 0, 2, 1), (3, 0, 3, 2), (9, 0, 3, 2), (3, 1, 1, 1), (5, 5, 5, 2), (2, 2, 2, 1)],
)
def test_the_cluster_decides_unless_the_setting_does(brokers: int, asked: int, factor: int, least: int) -> None:
    """Three copies of which two must be there; two where a restart of one broker would stop everything: one."""
    chosen = Replication.of(brokers, asked)
    assert (chosen.factor, chosen.min_insync) == (factor, least)


def test_more_copies_than_brokers_is_an_error() -> None:
    """It names the setting and how many there are."""
    with pytest.raises(SettingsError, match="HEADRACE_REPLICATION_FACTOR is 3, and Kafka has 1 broker"):
        Replication.of(1, 3)


@pytest.mark.parametrize(
    ("replicas", "config", "said"),
    [
        (3, {}, []),
        (1, {"min.insync.replicas": "1"}, ["t: 1 copy, 3 wanted"]),
        (3, {"min.insync.replicas": "1"}, ["t: min.insync.replicas is 1, 2 wanted"]),
        (1, {"min.insync.replicas": "2"}, ["t: 1 copy, 3 wanted", "nothing can be written to it"]),
        (3, {"retention.ms": "999"}, ["retention.ms is 999, declared 1000: what is not read in that time"]),
        (3, {"retention.ms": "-1"}, ["acted on twice"]),
        (3, {"cleanup.policy": "compact"}, ["cleanup.policy is compact, declared delete: all but the newest"]),
    ],
)
def test_what_falls_short_is_said_with_its_cost(replicas: int, config: dict[str, str], said: list[str]) -> None:
    """Copies, copies in sync, retention and cleanup; a topic as it should be is not mentioned."""
    there = {**DECLARED, "min.insync.replicas": "2", **config}
    lines = list(shortcomings(SPEC, TopicState(replicas, there), THREE))
    assert len(lines) == len(said)
    assert all(part in line for part, line in zip(said, lines, strict=True))


def test_a_changelog_that_is_not_compacted_is_said() -> None:
    """Workflows would go with age."""
    spec = TopicSpec("c", 1, {"cleanup.policy": "compact"})
    state = TopicState(3, {"cleanup.policy": "delete", "min.insync.replicas": "2"})
    assert list(shortcomings(spec, state, THREE)) == [
        "c: cleanup.policy is delete, declared compact: a workflow's record goes with age"
    ]


def test_it_is_said_in_words() -> None:
    """What was chosen, and with one copy what that risks."""
    assert str(THREE).startswith("3 copies of each, on 3 brokers")
    assert "lost with its disk" in str(Replication.of(1, 0))
