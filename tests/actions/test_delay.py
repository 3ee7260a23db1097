"""``delay``: until when, and what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.commands import failure_of, prepared, wrong_paths


def test_a_duration_counts_from_now() -> None:
    """Also one that a template gives."""
    before = datetime.now(UTC)
    until = prepared("delay", {"duration": "{{ order.id }}h"}).until
    assert before + timedelta(hours=42) <= until <= datetime.now(UTC) + timedelta(hours=42)


def test_a_time_is_waited_for() -> None:
    """An instant, in any zone; a template may give it."""
    until = prepared("delay", {"until": "{{ at }}"}, {"at": "2020-03-01T09:30:00+02:00"}).until
    assert until == datetime(2020, 3, 1, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"duration": "{{ customer.name }}"}, "duration"),
        ({"duration": "{{ 400 }} days"}, "duration"),
        ({"until": "{{ customer.name }}"}, "until"),
        ({"until": "9999-01-01"}, "until"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(config: dict[str, Any], field: str) -> None:
    """Permanent, and named."""
    assert failure_of("delay", config).startswith(f"{field}: ")


@pytest.mark.parametrize(
    "config",
    [{}, {"duration": "1h", "until": "2030-01-01"}, {"duration": "soon"}, {"duration": -1}, {"duration": "400d"}],
)
def test_a_wrong_config_is_refused_on_save(config: dict[str, Any]) -> None:
    """One of both is needed, and a constant duration must be one."""
    assert wrong_paths("delay", config) == ["config"]
