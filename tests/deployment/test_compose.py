"""docker-compose.yml: what it starts goes on, is locked in, and is told just what it needs."""

import os
import re
from typing import Any, Final

import pytest
import yaml

from app.processes.role_names import OPTIONAL_ROLES, role_names
from app.settings import load_settings
from tests.deployment.compose import (
    COMPOSE,
    EXAMPLE,
    NOT_OURS,
    compose,
    container_environment,
    example,
    known,
    ours,
    services,
    variables,
)

JOBS: Final = {"migrate", "database-users", "templates", "topics"}
ROLES: Final = {*role_names(), *OPTIONAL_ROLES, "admin"}
STAND_INS: Final = {"mail", "messages"}
SERVERS: Final = {"kafka", "postgres", "prometheus", "grafana"}
# What the image and the file itself say, so that there is nothing to choose.
FIXED: Final = {
    "DATABASE_URL",
    "HEADRACE_ADMIN_HOST",
    "HEADRACE_ADMIN_PORT",
    "HEADRACE_DATA_DIR",
    "HEADRACE_INSTANCE",
    "HEADRACE_METRICS_HOST",
    "HEADRACE_METRICS_PORT",
}
EXECUTORS: Final = {name for name in ROLES if name.startswith("executor-")}
# Who is given what is secret, beside a role's own database user.
HOLDERS: Final = {
    "POSTGRES_PASSWORD": {"postgres", *JOBS - {"topics"}},
    "HEADRACE_JWT_SECRET": {"admin"},
    "HEADRACE_OIDC_CLIENT_SECRET": {"admin"},
    "HEADRACE_METRICS_TOKEN": {"admin"},
    "HEADRACE_SECRETS_KEY": {"admin", "scheduler", *EXECUTORS, "messages"},
    "ADMIN_ALERT_CHANNELS": {"scheduler"},
    "HEADRACE_SMTP_PASSWORD": {"admin", *EXECUTORS, "messages"},
}


def filled_example() -> dict[str, str]:
    """The example as an operator fills it in: a value of its own for each that is to be changed."""
    return {
        name: f"{'0123456789abcdef' * 3}{name}" if value == "CHANGE_ME" else value for name, value in example().items()
    }


def test_it_starts_every_role() -> None:
    """Each role, the jobs before them, and what they stand on; nothing that nobody knows."""
    assert set(services()) == ROLES | JOBS | STAND_INS | SERVERS
    assert {name for name, service in ours().items() if service["command"][0] == "worker"} == ROLES - {"admin"}
    assert all(ours()[name]["command"] == ["worker", name] for name in ROLES - {"admin"})


@pytest.mark.parametrize("name", sorted(services()))
def test_everything_goes_on_after_a_reboot(name: str) -> None:
    """What serves starts again with the host; a job, done once, is tried again only while it fails."""
    assert services()[name]["restart"] == ("on-failure:10" if name in JOBS else "unless-stopped")


@pytest.mark.parametrize("name", sorted(ROLES))
def test_a_role_says_how_it_is(name: str) -> None:
    """Its health check asks whether it is ready; it gets SIGTERM, and the time that a worker takes to hand over."""
    role = ours()[name]
    assert role["healthcheck"]["test"] == ["CMD", "headrace", "healthcheck", "--ready"]
    assert role["init"] is True
    assert int(role["stop_grace_period"].removesuffix("s")) >= 45
    assert set(role["depends_on"]) == {"database-users", "topics"}


@pytest.mark.parametrize("name", sorted(ROLES))
def test_scaling_a_role_gives_each_container_an_instance_of_its_own(name: str) -> None:
    """The id is the container's host name, which Docker makes; so nothing here may name it."""
    role = ours()[name]
    assert not {"hostname", "container_name"} & set(role)
    assert "HEADRACE_INSTANCE" not in role["environment"]
    assert name == "admin" or "ports" not in role


@pytest.mark.parametrize("name", sorted({*ours(), *STAND_INS}))
def test_our_containers_are_locked_in(name: str) -> None:
    """Nothing of the image can be changed in a container, and its process can become no other user."""
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [folder.partition(":")[0] for folder in service["tmpfs"]] == ["/var/lib/headrace", "/tmp"]  # noqa: S108 - its


def test_nothing_listens_beyond_this_host() -> None:
    """Ports are published on loopback alone; who wants more puts a proxy in front."""
    ports = [port for service in services().values() for port in service.get("ports", ())]
    assert len(ports) == 6
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("name", sorted(ROLES))
def test_a_role_logs_in_as_its_own_user(name: str) -> None:
    """Only the jobs have the owner's URL."""
    user = "executor" if name in EXECUTORS else "api" if name == "admin" else name
    url = ours()[name]["environment"]["DATABASE_URL"]
    assert url.startswith(f"postgresql://headrace_{user}_login:")
    assert variables(url) >= {f"HEADRACE_DATABASE_PASSWORD_{user.upper()}"}


@pytest.mark.parametrize(("variable", "holders"), HOLDERS.items())
def test_secrets_reach_only_who_needs_them(variable: str, holders: set[str]) -> None:
    """Others' containers are not even given them."""
    told = {
        name
        for name, service in services().items()
        if any(
            key == variable or variable in variables(str(value))
            for key, value in service.get("environment", {}).items()
        )
    }
    assert told == holders


def test_every_setting_can_be_made_in_the_one_file() -> None:
    """What .env sets reaches somebody: a setting that this file does not know would be set in vain."""
    given = {variable for service in ours().values() for variable in service["environment"]}
    missing = set(known()) - FIXED - given
    assert not missing, f"name them in docker-compose.yml, in the group of who needs them: {sorted(missing)}"


def test_every_variable_is_one_that_there_is() -> None:
    """No container is given what nothing reads."""
    passwords = {
        f"HEADRACE_DATABASE_PASSWORD_{user}"
        for user in ("MATCHER", "EXECUTOR", "SINK", "SCHEDULER", "SOURCES", "API", "DASHBOARDS")
    }
    for name, service in ours().items():
        unknown = set(service["environment"]) - set(known()) - (passwords if name == "database-users" else set())
        assert not unknown, name


def test_the_example_names_what_there_is() -> None:
    """Each of its variables is used, those that it only proposes too; and nothing that must be set is left out."""
    used = variables(COMPOSE.read_text()) | {"COMPOSE_PROFILES"}
    used |= {variable for service in services().values() for variable in service.get("environment", {})}
    assert not set(example(commented=True)) - used
    needed = set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))
    assert needed <= set(example())
    profiles = {profile for service in services().values() for profile in service.get("profiles", ())}
    assert profiles == {*example()["COMPOSE_PROFILES"].split(","), "sources"}
    assert (
        EXAMPLE.read_text().count("CHANGE_ME")
        == len([value for value in example().values() if value == "CHANGE_ME"]) + 1
    )


@pytest.mark.parametrize("name", sorted(ours()))
def test_the_example_once_filled_in_holds(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each container's environment is settings that load: no value of the example is refused."""
    given = container_environment(ours()[name], filled_example())
    for variable in [*os.environ]:
        if variable in known():
            monkeypatch.delenv(variable)
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert settings.kafka_bootstrap_servers == "kafka:9092"
    assert name == "topics" or "@postgres:5432/headrace" in settings.database_url.get_secret_value()


def test_the_broker_is_reached_from_the_host_too() -> None:
    """Containers find it under its name, the host's programs on loopback: a listener for each."""
    environment: dict[str, Any] = services()["kafka"]["environment"]
    assert environment["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://kafka:9092,HOST://127.0.0.1:9094"
    assert "HOST://:9094" in environment["KAFKA_LISTENERS"].split(",")
    assert "127.0.0.1:9094:9094" in services()["kafka"]["ports"]
    servers = SERVERS - {"grafana"}  # which reads our Postgres, too
    given = {variable for name in servers for variable in services()[name].get("environment", {})}
    assert all(variable.startswith(NOT_OURS) for variable in given)


def test_prometheus_may_read_the_metrics_of_the_api() -> None:
    """The token reaches it as a file beside its configuration, which names the services as they are called here."""
    assert compose()["secrets"]["metrics_token"] == {"environment": "HEADRACE_METRICS_TOKEN"}
    text = (COMPOSE.parent / "deploy/prometheus/prometheus.yml").read_text()
    assert "credentials_file: metrics_token" in text
    assert all(re.search(rf"\b{name}\b", text) for name in ROLES)


def test_prometheus_and_grafana_find_their_files() -> None:
    """What is mounted into them is in the repository, and Grafana's sources get each variable that they name."""
    root = COMPOSE.parent
    mounted = [one for name in ("prometheus", "grafana") for one in services()[name]["volumes"] if one.startswith("./")]
    assert len(mounted) == 4
    assert all((root / one.partition(":")[0]).exists() for one in mounted)
    sources = (root / "deploy/grafana/provisioning/datasources/headrace.yml").read_text()
    assert set(re.findall(r"\$\{(\w+)\}", sources)) <= set(services()["grafana"]["environment"])
    boards = (root / "deploy/grafana/provisioning/dashboards/headrace.yml").read_text()
    assert "path: /etc/grafana/dashboards" in boards


def test_no_key_stands_twice() -> None:
    """Compose refuses a mapping with a key twice, which Python's reader of YAML passes over in silence."""
    mappings = [yaml.compose(COMPOSE.read_text())]
    while mappings:
        node = mappings.pop()
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert len(keys) == len(set(keys)), f"line {node.start_mark.line}"
            mappings += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            mappings += node.value
