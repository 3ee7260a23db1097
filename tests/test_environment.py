"""The specification's environment variables: each under its name, in its unit, with its default, and what it does."""

import os
import sys
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from app.actions.registry import REGISTRY
from app.domain.errors import SettingsError
from app.domain.retry import Failure, GiveUp, Wait, decide
from app.execution.breakers import Breakers
from app.processes.policies import breaker_policy, retry_policy
from app.processes.roles.executor import MAX_SLOTS, lane_slots
from app.settings import load_settings
from tests.support.breakers import MemoryBreakers
from tests.support.waiting import finished

# Name, the setting it is read into, the specification's default (times in milliseconds), another value.
VARIABLES: Final = (
    ("QUEUE_CONCURRENCY", "queue_concurrency", 10, 25),
    ("ACTION_RETRY_MAX_ATTEMPTS", "action_retry_max_attempts", 3, 5),
    ("ACTION_RETRY_INITIAL_DELAY", "action_retry_initial_delay_ms", 1000, 250),
    ("CIRCUIT_BREAKER_THRESHOLD", "circuit_breaker_threshold", 5, 9),
    ("CIRCUIT_BREAKER_TIMEOUT", "circuit_breaker_timeout_ms", 30_000, 4000),
    ("CIRCUIT_BREAKER_MAX_WAIT", "circuit_breaker_max_wait_ms", 300_000, 60_000),
    ("WORKFLOW_EXECUTION_TIMEOUT", "workflow_execution_timeout_ms", 30_000, 12_000),
    ("RATE_LIMIT_PER_MINUTE", "rate_limit_per_minute", 100, 7),
)


@pytest.mark.parametrize(("name", "setting", "default", "other"), VARIABLES)
def test_each_variable_has_its_name_and_default(
    monkeypatch: pytest.MonkeyPatch, name: str, setting: str, default: int, other: int
) -> None:
    """Unset it is the specification's default, set it is what it says, and a wrong value is named."""
    monkeypatch.delenv(name, raising=False)
    assert getattr(load_settings(), setting) == default
    monkeypatch.setenv(name, str(other))
    assert getattr(load_settings(), setting) == other
    monkeypatch.setenv(name, "many")
    with pytest.raises(SettingsError, match=name):
        load_settings()


def waits(environment: dict[str, Any], monkeypatch: pytest.MonkeyPatch, attempt_s: float = 0.0) -> tuple[Any, ...]:
    """The backoffs, in seconds without jitter, before an action that always fails is given up, and why it is."""
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    policy, spent = retry_policy(load_settings()), 0.0
    seen: list[float] = []
    for attempts in count(1):
        spent += attempt_s
        decision = decide(policy, Failure(attempts, spent), attempt_timeout=attempt_s)
        if isinstance(decision, GiveUp):
            return (*seen, "timed out" if decision.timed_out else "failed")
        assert isinstance(decision, Wait)
        seen.append(decision.seconds)
        spent += decision.seconds
    raise AssertionError("never given up")


def test_retries_are_as_many_and_as_late_as_the_variables_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default after 1, 2 and 4 s; ACTION_RETRY_MAX_ATTEMPTS counts retries, ACTION_RETRY_INITIAL_DELAY is in ms."""
    assert waits({}, monkeypatch) == (1.0, 2.0, 4.0, "failed")
    assert waits({"ACTION_RETRY_MAX_ATTEMPTS": 2}, monkeypatch) == (1.0, 2.0, "failed")
    assert waits({"ACTION_RETRY_INITIAL_DELAY": 250}, monkeypatch) == (0.25, 0.5, "failed")
    assert waits({"ACTION_RETRY_MAX_ATTEMPTS": 0}, monkeypatch) == ("failed",)


def test_an_execution_gets_as_much_time_as_the_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """WORKFLOW_EXECUTION_TIMEOUT, in ms, bounds attempts and backoffs together; a claim's lease is longer than it."""
    assert waits({}, monkeypatch, attempt_s=5.0) == (1.0, 2.0, 4.0, "failed")
    assert waits({"WORKFLOW_EXECUTION_TIMEOUT": 18_000}, monkeypatch, attempt_s=5.0) == (1.0, 2.0, "timed out")
    monkeypatch.setenv("WORKFLOW_EXECUTION_TIMEOUT", "60000")
    settings = load_settings()
    assert settings.lease.total_seconds() > 60 + settings.action_timeout


async def test_breakers_open_when_and_for_as_long_as_the_variables_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """CIRCUIT_BREAKER_THRESHOLD failures in a row, CIRCUIT_BREAKER_TIMEOUT and _MAX_WAIT in ms."""
    for name, value in (("THRESHOLD", "3"), ("TIMEOUT", "2000"), ("MAX_WAIT", "60000")):
        monkeypatch.setenv(f"CIRCUIT_BREAKER_{name}", value)
    breakers = Breakers(MemoryBreakers(), breaker_policy(load_settings()))
    for _ in range(3):
        admission = await breakers.admit("smtp")
        assert admission.admitted
        await breakers.record("smtp", admission, "no answer")
    refused = breakers.shut("smtp")
    assert refused is not None
    assert 1 < refused.wait <= 2
    assert breakers.max_wait.total_seconds() == 60


def test_a_worker_does_as_much_at_once_as_the_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """QUEUE_CONCURRENCY commands for each partition of a lane, within what a worker may hold."""
    webhook = REGISTRY.find("webhook")
    assert webhook is not None
    monkeypatch.setenv("HEADRACE_ACTIONS_PARTITIONS", "4")
    assert lane_slots(webhook, load_settings()) == 40
    monkeypatch.setenv("QUEUE_CONCURRENCY", "3")
    assert lane_slots(webhook, load_settings()) == 12
    monkeypatch.setenv("QUEUE_CONCURRENCY", "512")
    assert lane_slots(webhook, load_settings()) == MAX_SLOTS


@pytest.mark.parametrize(("value", "warned"), [("redis://:secret@cache:6379", 1), ("", 0)])
def test_who_sets_redis_url_hears_that_it_does_nothing(tmp_path: Path, value: str, warned: int) -> None:
    """One line on standard error that names the variable and not its value; the command does its work."""
    environment = os.environ | {
        "REDIS_URL": value,
        "HEADRACE_HOME": str(tmp_path),
        "HEADRACE_JWT_SECRET": "a-secret-for-tests-of-32-bytes-or-more",
    }
    done = finished([sys.executable, "-m", "app.cli", "token"], within=30, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("REDIS_URL is set and has no meaning here") == warned
    assert "secret@cache" not in done.stderr
    assert done.stdout.count(".") == 2


def test_channels_of_alerts_are_urls_or_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, commas between; what is neither is named by its place, for it may be secret."""
    monkeypatch.setenv("ADMIN_ALERT_CHANNELS", "mailto://me:pw@example.com, ops,ops ,")
    assert load_settings().alert_channels == ("mailto://me:pw@example.com", "ops")
    assert "mailto" not in repr(load_settings())
    monkeypatch.setenv("ADMIN_ALERT_CHANNELS", "ops, s3cret/which is no url")
    with pytest.raises(SettingsError, match=r"ADMIN_ALERT_CHANNELS: .*channel 2 is neither") as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)
    monkeypatch.delenv("ADMIN_ALERT_CHANNELS")
    assert load_settings().alert_channels == ()
