"""The order in which brokers and databases are considered, and what is said when there is none."""

import pytest

from app.domain.errors import SetupError
from app.embedded.detection import major_version
from app.embedded.tiers import KAFKA_TIERS, POSTGRES_TIERS, Facts, choose_kafka, choose_postgres

_ALL = Facts(
    bootstrap_servers="broker:9092", database_url="postgresql://db/x", docker=True, java=17, maven=True,
    postgres_wheel=True,
)  # fmt: skip


def test_the_tiers_stand_in_the_order_of_the_design() -> None:
    """A broker that is named beats Docker, Docker beats the jars; a named database beats the wheel."""
    assert [tier.name for tier in KAFKA_TIERS] == ["external", "docker", "maven"]
    assert [tier.name for tier in POSTGRES_TIERS] == ["external", "wheel"]


def test_the_first_kafka_that_serves_is_chosen() -> None:
    """With everything there the named broker serves; each that goes leaves the next."""
    assert choose_kafka(_ALL) == "external"
    assert choose_kafka(Facts(docker=True, java=17, maven=True)) == "docker"
    assert choose_kafka(Facts(java=21, maven=True)) == "maven"


def test_the_first_postgres_that_serves_is_chosen() -> None:
    """A named database serves before the wheel."""
    assert choose_postgres(_ALL) == "external"
    assert choose_postgres(Facts(postgres_wheel=True)) == "wheel"


@pytest.mark.parametrize(
    ("facts", "missing", "command"),
    [
        (Facts(), "Java 17+ is missing", "openjdk-17-jre-headless maven`"),
        (Facts(java=17), "Maven is missing", "install -y maven`"),
        (Facts(java=11, maven=True), "Java is 11, Kafka needs 17+", "install -y openjdk-17-jre-headless`"),
    ],
)
def test_no_kafka_is_one_line_with_the_command_that_installs_it(facts: Facts, missing: str, command: str) -> None:
    """The line names exactly what is missing, and the command that installs exactly that."""
    with pytest.raises(SetupError) as raised:
        choose_kafka(facts)
    said = str(raised.value)
    assert "\n" not in said
    assert missing in said
    assert command in said


def test_no_postgres_names_both_ways_out() -> None:
    """The line names the variable and the package."""
    with pytest.raises(SetupError, match=r"DATABASE_URL.*headrace\[embedded\]"):
        choose_postgres(Facts())


@pytest.mark.parametrize(
    ("said", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "21"', 21),
        ("", None),
    ],
)
def test_java_says_its_version_in_several_ways(said: str, major: int | None) -> None:
    """Old releases call themselves 1.8, new ones 21."""
    assert major_version(said) == major
