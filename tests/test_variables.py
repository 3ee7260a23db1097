"""Variables of the environment: a misspelt one is noticed, and the one that is meant is named."""

import re
from pathlib import Path
from typing import Final

import pytest

from app.adapters.postgres.database_roles import LOGIN_ROLES
from app.settings.variables import Misspelt, known_variables, misspelt

ROOT: Final = Path(__file__).parent.parent
_SET: Final = re.compile(r"^\s*(?:- |#\s*)?(?:name: |export )?(HEADRACE_[A-Z0-9_]+)(?=\s*[:=]|$)", re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("HEADRACE_TOPIC_PREFX", "HEADRACE_TOPIC_PREFIX"),
        ("HEADRACE_SECRET_KEY", "HEADRACE_SECRETS_KEY"),
        ("HEADRACE_SMTPHOST", "HEADRACE_SMTP_HOST"),
        ("HEADRACE_EVENT_PARTITIONS", "HEADRACE_EVENTS_PARTITIONS"),
        ("HEADRACE_DATABASE_URL", "DATABASE_URL"),
        ("HEADRACE_KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS"),
        ("KAFKA_BOOTSTRAP_SERVER", "KAFKA_BOOTSTRAP_SERVERS"),
        ("CIRCUIT_BREAKER_TRESHOLD", "CIRCUIT_BREAKER_THRESHOLD"),
        ("HEADRACE_XYZZY", ""),
    ],
)
def test_a_misspelt_variable_is_found(name: str, meant: str) -> None:
    """Whatever is meant for Headrace and read by nothing; without its value, which may be a secret."""
    (found,) = misspelt({name: "hidden-word", "PATH": "/bin", "KAFKA_HEAP_OPTS": "-Xmx1g", "PGPASSWORD": "x"})
    assert found == Misspelt(name, meant)
    assert "hidden-word" not in str(found)
    assert str(found).startswith(f"{name} is set, and nothing reads it")
    assert str(found).endswith(f": is {meant} meant?" if meant else "reads it")


def test_what_is_known_is_not_misspelt() -> None:
    """Every setting, what is read beside them, what others' programs read, and what Kubernetes sets for services."""
    links = (
        "HEADRACE_ADMIN_SERVICE_HOST",
        "HEADRACE_ADMIN_SERVICE_PORT",
        "HEADRACE_ADMIN_SERVICE_PORT_HTTP",
        "HEADRACE_ADMIN_PORT_8080_TCP",
        "HEADRACE_ADMIN_PORT_8080_TCP_ADDR",
    )
    others = ("KAFKA_HOME", "DATABASE_HOST", "OTEL_SERVICE_NAME", "RATE_LIMIT")
    assert misspelt(dict.fromkeys((*known_variables(), *links, *others), "1")) == []


def test_every_login_has_its_password_variable() -> None:
    """As `headrace database-users` reads them."""
    asked = {f"HEADRACE_DATABASE_PASSWORD_{role.word.upper()}" for role in LOGIN_ROLES}
    assert {name for name in known_variables() if name.startswith("HEADRACE_DATABASE_PASSWORD_")} == asked


def test_what_we_ship_sets_nothing_that_is_not_read() -> None:
    """Compose, the image, its example of settings, Kubernetes: no role would start with a variable it does not know."""
    places = [ROOT / name for name in ("docker-compose.yml", ".env.example", "deploy/Dockerfile", "Makefile")]
    places += [file for file in (ROOT / "deploy").rglob("*") if file.suffix in (".yml", ".yaml", ".env")]
    named = {name: place.name for place in places for name in _SET.findall(place.read_text())}
    assert len(named) > 10
    assert {name: place for name, place in named.items() if name not in known_variables()} == {}
