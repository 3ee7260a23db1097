"""What each role needs on Kafka stands once: it is what roles read, what the page says, and what is printed."""

from pathlib import Path
from typing import Final

import orjson
import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from app.commands.topics import topics as command
from app.processes.kafka_access import accesses, concrete, needed_commands
from app.processes.role_names import role_names
from app.processes.vitals import vitals_of
from app.processes.worker import build_role
from app.settings import Settings
from app.topics import Topics

PAGE: Final = Path(__file__).parents[2] / "docs" / "kafka.md"
DOCUMENTED: Final = Settings(kafka_bootstrap_servers="broker:9093", topic_prefix="headrace.", sources="")
FOREIGN: Final = orjson.dumps([{"name": "shop", "topic": "shop.orders", "type": "order.paid", "entity": "id"}]).decode()


def test_the_page_has_what_is_printed() -> None:
    """Line by line, so that nobody grants what an older version needed."""
    assert "\n".join(needed_commands(DOCUMENTED, "User:headrace-{role}")) in PAGE.read_text()


@pytest.mark.parametrize("role", [role for role in role_names() if role != "scheduler"])
def test_each_role_may_read_what_its_agents_read(role: str, tmp_path: Path) -> None:
    """Those topics, by its group, and no other but the matcher's table."""
    settings = DOCUMENTED.model_copy(update={"data_dir": tmp_path})
    app = build_role(role, settings, vitals_of(role, settings, CollectorRegistry()))
    read = {topic for agent in app.agents.values() for topic in agent.channel.topics}
    table = {Topics("headrace.").workflows_changelog} if role == "matcher" else set()
    granted = {one for one in concrete(role, settings) if one.operation == "Read"}
    assert {one.name for one in granted if one.resource == "topic"} == read | table
    assert {one.name for one in granted if one.resource == "group"} == {app.conf.id}


def test_sources_are_among_them_where_they_are_set() -> None:
    """They read what the setting names, and write events."""
    assert "sources" not in accesses(DOCUMENTED)
    needed = accesses(DOCUMENTED.model_copy(update={"sources": FOREIGN}))["sources"]
    assert {one.name for one in needed if one.operation == "Read"} == {"shop.orders", "headrace.sources"}
    assert "headrace.events.order" in {one.name for one in needed if one.operation == "Write"}


def test_they_are_printed_without_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who grants them need not reach Kafka, and may call the users anything."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    said = CliRunner().invoke(command, ["--acls", "--principal", "User:CN={role}"], catch_exceptions=False)
    assert said.exit_code == 0
    assert "acl User:CN=sink --operation Read --group headrace.sink" in said.output
