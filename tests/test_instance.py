"""HEADRACE_INSTANCE tells one worker of a role from another; by default it is the host's name, one a container."""

import socket

import pytest

from app.domain.errors import SettingsError
from app.settings import load_settings
from app.settings.process import INSTANCE_CHARACTERS, instance_of

POD: str = "executor-notification-12"


@pytest.mark.parametrize("given", [None, ""])
def test_an_instance_is_named_after_its_host(monkeypatch: pytest.MonkeyPatch, given: str | None) -> None:
    """Unset, and where compose passes an empty variable on, two containers of a role have an id each."""
    monkeypatch.delenv("HEADRACE_INSTANCE", raising=False)
    if given is not None:
        monkeypatch.setenv("HEADRACE_INSTANCE", given)
    assert load_settings().instance == instance_of(socket.gethostname())


def test_what_is_set_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of one's own is taken as it is; one that Kafka or a path would not take is refused by name."""
    monkeypatch.setenv("HEADRACE_INSTANCE", "2")
    assert load_settings().instance == "2"
    for wrong in ("a/b", "x" * (INSTANCE_CHARACTERS + 1)):
        monkeypatch.setenv("HEADRACE_INSTANCE", wrong)
        with pytest.raises(SettingsError, match="HEADRACE_INSTANCE"):
            load_settings()


@pytest.mark.parametrize(
    ("host", "instance"),
    [
        ("3f2a9c1d7b44", "3f2a9c1d7b44"),
        (POD, POD),
        ("worker_1.example.com", "worker_1.example.com"),
        ("büro 7", "b-ro-7"),
        ("x" * 80 + "-11", "x" * 61 + "-11"),
        ("", "1"),
    ],
)
def test_any_host_has_an_instance_id(monkeypatch: pytest.MonkeyPatch, host: str, instance: str) -> None:
    """Whatever a host is called, its id is one that the setting itself would take, and keeps the number at its end."""
    assert instance_of(host) == instance
    monkeypatch.setenv("HEADRACE_INSTANCE", instance)
    assert load_settings().instance == instance
