"""Ports and settings of the processes that ``headrace up`` starts."""

import socket
from pathlib import Path

import pytest

from app.adapters.secrets.cipher import FernetCipher
from app.embedded.processes import choose_ports, claim_usual_port, environment, jwt_secret, role_processes, secrets_key
from app.processes.home import Lock


def test_ports_are_kept_while_they_are_free(tmp_path: Path) -> None:
    """The next start has the same ports, except one that somebody took meanwhile."""
    first = choose_ports(tmp_path, usual=False)
    assert choose_ports(tmp_path, usual=False) == first
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", first.smtp))
        taker.listen()
        second = choose_ports(tmp_path, usual=False)
    assert second.smtp != first.smtp
    assert (second.api, second.mail, second.receiver) == (first.api, first.mail, first.receiver)
    assert second.messages == first.messages


def test_each_role_has_a_page_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a port that is kept; none where the user wants none."""
    roles = ["matcher", "sink", "scheduler"]
    first = choose_ports(tmp_path, roles, usual=False)
    assert (list(first.pages), len(set(first.pages.values()))) == (roles, 3)
    assert choose_ports(tmp_path, roles, usual=False).pages == first.pages
    monkeypatch.setenv("HEADRACE_METRICS_PORT", "0")
    assert choose_ports(tmp_path, roles, usual=False).pages == {}


def test_of_two_that_start_at_once_one_gets_the_usual_port(tmp_path: Path) -> None:
    """Whoever holds the lock may take 8080; the other picks another one, though 8080 is still free."""
    one, other = Lock(tmp_path / "port.lock"), Lock(tmp_path / "port.lock")
    assert claim_usual_port(one)
    assert not claim_usual_port(other)
    one.release()
    assert claim_usual_port(other)
    other.release()
    assert choose_ports(tmp_path / "a", usual=False).api != 8080


def test_an_unwritable_lock_is_no_failure(tmp_path: Path) -> None:
    """Another user's lock file counts as taken."""
    (tmp_path / "file").write_text("no folder")
    assert not claim_usual_port(Lock(tmp_path / "file" / "port.lock"))


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    """Tokens outlive a restart; the secret is long enough for the API."""
    assert jwt_secret(tmp_path) == jwt_secret(tmp_path)
    assert len(jwt_secret(tmp_path)) >= 32


def test_the_secret_stores_key_is_made_once_beside_it(tmp_path: Path) -> None:
    """An installation from before there was one keeps its tokens' secret; every role gets the key."""
    tokens = jwt_secret(tmp_path)
    key = secrets_key(tmp_path)
    assert (secrets_key(tmp_path), jwt_secret(tmp_path)) == (key, tokens)
    assert FernetCipher(key).decrypt(FernetCipher(key).encrypt("value")) == "value"
    ports = choose_ports(tmp_path, usual=False)
    assert environment(tmp_path, ports, "127.0.0.1:1", "postgresql://x")["HEADRACE_SECRETS_KEY"] == key


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEADRACE_KAFKA_SECURITY_PROTOCOL", "SSL"),
        ("HEADRACE_TOPIC_PREFIX", "acme."),
        ("HEADRACE_EVENTS_PARTITIONS", "3"),
        ("RATE_LIMIT_PER_MINUTE", "7"),
        ("HEADRACE_SMTP_HOST", "mail.example.com"),
    ],
)
def test_what_it_was_started_with_reaches_commands_in_another_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Every setting goes on to roles, and to who adopts the environment: `emit` needs the prefix to find a topic."""
    monkeypatch.setenv(name, value)
    variables = environment(tmp_path, choose_ports(tmp_path, usual=False), "broker:9093", "postgresql://x")
    assert variables[name] == value


def test_what_is_one_processs_own_goes_no_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command in another terminal logs as it is told itself, and where things are is not the environment's to say."""
    own = {"HEADRACE_INSTANCE": "7", "HEADRACE_LOG_LEVEL": "DEBUG", "HEADRACE_API_TOKEN": "x"}
    for name, value in {**own, "DATABASE_URL": "postgresql://other"}.items():
        monkeypatch.setenv(name, value)
    variables = environment(tmp_path, choose_ports(tmp_path, usual=False), "broker:9093", "postgresql://x")
    assert own.keys().isdisjoint(variables)
    assert variables["DATABASE_URL"] == "postgresql://x"


def test_roles_reach_what_was_started(tmp_path: Path) -> None:
    """Each role and the API are a process with the addresses and a database user of its own, and end with this one."""
    ports = choose_ports(tmp_path, usual=False)
    variables = environment(tmp_path, ports, "127.0.0.1:1", "postgresql://x")
    urls = {"matcher": "postgresql://matcher@x", "admin": "postgresql://api@x"}
    processes = role_processes(tmp_path, ["matcher"], variables, urls, {"matcher": 1234})
    assert [process.name for process in processes] == ["matcher", "admin"]
    assert [process.command.env["HEADRACE_METRICS_PORT"] for process in processes] == ["1234", "0"]
    for process in processes:
        assert process.command.env["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:1"
        assert process.command.env["DATABASE_URL"] == urls[process.name]
        assert process.command.env["HEADRACE_PARENT"].isdigit()
