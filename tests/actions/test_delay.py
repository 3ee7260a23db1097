"""``delay``: until when, and what is refused."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.actions.configs import validate_config
from app.actions.delay import end_of
from app.domain.errors import ActionFailedError
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


@pytest.mark.parametrize("config", [{}, {"duration": "1h", "until": "2030-01-01"}, {"at": "09:00"}])
def test_one_of_duration_and_until_is_needed(config: dict[str, Any]) -> None:
    """And only one."""
    assert wrong_paths("delay", config) == ["config.duration"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("duration", "soon"), ("duration", -1), ("duration", "400d"), ("duration", True),
        ("until", "soon"), ("until", ""), ("until", 20260301), ("until", True), ("until", ["2030-01-01"]),
        ("timezone", "Berlin"), ("timezone", 1), ("timezone", ""), ("timezone", "localtime"), ("timezone", "Factory"),
        ("offset", "tomorrow"), ("offset", "-1d2h"), ("offset", 1),
        ("at", "9am"), ("at", 9),
        ("days", "weekdays"), ("days", []), ("days", ["monday"]), ("days", 1),
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused_on_save_by_its_path(field: str, value: Any) -> None:
    """What is no template is checked on save, each field by itself."""
    start = {} if field in ("duration", "until") else {"duration": "1h"}
    assert wrong_paths("delay", {**start, field: value}) == [f"config.{field}"]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("until", "soon"),
        ("until", "1772357400123456"),
        ("timezone", "Berlin"),
        ("offset", "tomorrow"),
        ("at", "9am"),
        ("days", "monday"),
    ],
)
def test_a_wrong_value_of_a_template_fails_by_field_and_value(field: str, wrong: str) -> None:
    """At run time, for good."""
    start = {} if field == "until" else {"until": "2030-01-01"}
    said = failure_of("delay", {**start, field: "{{ given }}"}, {"given": wrong})
    assert said.startswith(f"{field}: '{wrong}' must be")


NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOTHING = {"duration": None, "until": None, "timezone": None, "offset": None, "at": None, "days": None}


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"until": "2026-03-29T02:30", "timezone": "Europe/Berlin"}, "2026-03-29T03:00+02:00"),
        ({"until": "2026-10-25T02:30", "timezone": "Europe/Berlin"}, "2026-10-25T02:30+02:00"),
        ({"until": "2026-07-01", "timezone": "America/Sao_Paulo"}, "2026-07-01T00:00-03:00"),
        ({"until": "2026-07-01"}, "2026-07-01T00:00Z"),
        ({"until": "2026-07-01T09:00+02:00", "timezone": "America/Sao_Paulo"}, "2026-07-01T09:00+02:00"),
        ({"until": 1782892800, "timezone": "America/Sao_Paulo"}, "2026-07-01T08:00Z"),
        ({"until": "1782892800000", "offset": "-1d"}, "2026-06-30T08:00Z"),
        ({"until": "2026-03-30T09:00", "timezone": "Europe/Berlin", "offset": "-1d -1h"}, "2026-03-29T08:00+02:00"),
        # The day before an appointment, at nine: of a date that is the day before itself.
        ({"until": "2026-07-03", "offset": "-1d", "at": "09:00"}, "2026-07-02T09:00Z"),
        # 2026-07-03 is a Friday.
        ({"until": "2026-07-03T18:00", "at": "09:00", "days": "mon-fri"}, "2026-07-06T09:00Z"),
        ({"until": "2026-07-04T18:00", "days": ["mon", "tue"]}, "2026-07-06T00:00Z"),
        # 2026-03-01 12:00, now, is a Sunday.
        ({"duration": "1h"}, "2026-03-01T13:00Z"),
        ({"duration": "1h", "at": "09:00", "days": "mon-fri", "timezone": "Europe/Berlin"}, "2026-03-02T09:00+01:00"),
        ({"duration": 0, "offset": "+1d", "timezone": "Europe/Berlin"}, "2026-03-02T12:00Z"),
        # A time that has passed: the first open moment from now on, and itself where nothing is to be open.
        ({"until": "2020-01-01"}, "2020-01-01T00:00Z"),
        ({"until": "2020-01-01", "at": "09:00"}, "2026-03-02T09:00Z"),
        ({"until": "2026-03-01T08:00", "at": "12:00"}, "2026-03-01T12:00Z"),
        ({"until": "2026-02-27T14:00", "at": "09:00", "days": "mon-fri"}, "2026-03-02T09:00Z"),
        ({"until": "2026-02-27T14:00", "days": "mon-fri"}, "2026-03-02T00:00Z"),
        ({"until": "2026-02-27T14:00", "days": "sun"}, "2026-03-01T12:00Z"),
        ({"until": "2026-03-03", "offset": "-3d", "days": "wed"}, "2026-03-04T00:00Z"),
        ({"until": "0001-01-01T00:00+14:00", "at": "09:00"}, "2026-03-02T09:00Z"),
        # Lists as templates write them.
        ({"duration": 0, "days": "['mon', 'tue']"}, "2026-03-02T00:00Z"),
        ({"duration": "366 days", "at": "09:00"}, "2027-03-03T09:00Z"),
    ],
)
def test_what_businesses_mean(fields: dict[str, Any], end: str) -> None:
    """Until, then offset, then the first moment of at and days, all by the clocks of timezone."""
    assert end_of({**NOTHING, **fields}, NOW) == datetime.fromisoformat(end)


@pytest.mark.parametrize(
    "fields",
    [
        {"until": "2027-03-03"},
        {"until": "9999-12-31T23:59:59-14:00"},
        {"until": "2026-03-02", "offset": "+100w"},
        {"until": "9999-12-31", "offset": "+1d"},
        {"until": "0001-01-01", "offset": "-1d"},
        {"until": "0001-01-01T00:00+14:00"},
    ],
)
def test_too_far_away_is_refused(fields: dict[str, Any]) -> None:
    """More than 366 days from now, before at and days; and what no calendar has."""
    with pytest.raises(ActionFailedError, match=r"until: .*(366 days|calendar)"):
        end_of({**NOTHING, **fields}, NOW)


def test_a_time_that_passed_on_a_business_day_does_not_open_the_weekend() -> None:
    """Monday's time, looked at on a Saturday: the next step runs on Monday at nine, not at once."""
    saturday = datetime(2026, 11, 7, 11, 0, tzinfo=UTC)
    fields = {**NOTHING, "until": "2026-11-02T14:00Z", "at": "09:00", "days": "mon-fri"}
    assert end_of(fields, saturday) == datetime(2026, 11, 9, 9, 0, tzinfo=UTC)


def test_days_may_be_a_list_that_a_template_gives() -> None:
    """Rendered it is text; what days must be instead is said where it holds no days."""
    config = {"duration": "1h", "days": "{{ open }}"}
    until = prepared("delay", config, {"open": ["mon", "thu-fri"]}).until
    assert until.weekday() in {0, 3, 4}
    said = failure_of("delay", config, {"open": ["monday"]})
    assert said == "days: '[\"monday\"]' must be days such as mon-fri, or a list of mon, tue, wed, thu, fri, sat, sun"


@pytest.mark.parametrize(
    ("field", "value", "bound"),
    [
        ("duration", 1e9, "366 days"),
        ("duration", 1e300, "366 days"),
        ("duration", "99999999999h", "366 days"),
        ("duration", "PT9999999999S", "366 days"),
        ("offset", "+99999999999d", "100 years"),
        ("offset", "-1d +99999999999s", "100 years"),
    ],
)
def test_what_is_too_much_is_told_the_bound(field: str, value: Any, bound: str) -> None:
    """However many digits it has."""
    start = {} if field == "duration" else {"duration": "1h"}
    (error,) = validate_config("delay", {**start, field: value})
    assert (error.path, f"at most {bound}" in error.message) == (f"config.{field}", True)


@given(until=st.text() | st.integers() | st.floats(), offset=st.text(alphabet="+-0123456789smhdw ", max_size=20))
def test_no_value_makes_a_delay_raise_anything_but_its_failure(until: Any, offset: str) -> None:
    """Whatever an event holds: a time, or a failed result."""
    for fields in (
        {"until": until},
        {"until": "2026-07-01", "offset": offset},
        {"until": "2026-07-01", "days": str(until)},
    ):
        with contextlib.suppress(ActionFailedError):
            assert end_of({**NOTHING, **fields}, NOW).tzinfo is UTC
