"""Values as Kafka Connect and Debezium write them: exact text, whatever the number."""

import base64
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.connect_values import MisfitError, converter, schema_converter
from app.domain.times import instant, parse_time

BOTH = ("org.apache.kafka.connect.data", "io.debezium.time")


def encoded(unscaled: int) -> str:
    """Return a decimal's bytes as Java writes them, in base64 as the JSON converter does."""
    size = (unscaled + (unscaled < 0)).bit_length() // 8 + 1
    return base64.b64encode(unscaled.to_bytes(size, "big", signed=True)).decode()


@pytest.mark.parametrize(
    ("scale", "written", "read"),
    [
        (2, "ThY=", "199.90"),
        (2, "AA==", "0.00"),
        (2, "/w==", "-0.01"),
        (2, "gA==", "-1.28"),
        (2, "AIA=", "1.28"),
        (0, "Kg==", "42"),
        (0, "/////w==", "-1"),
        (4, "AQ==", "0.0001"),
        (-2, "BQ==", "500"),
        (-2, "AA==", "0"),
        (10, encoded(-(10**40)), "-1000000000000000000000000000000.0000000000"),
        (0, encoded(10**3999), "1" + "0" * 3999),
    ],
)
def test_a_decimal_is_read_from_its_bytes(scale: int, written: str, read: str) -> None:
    """With all decimals of its scale; negative, nothing, negative scales, and of any length."""
    assert converter(f"decimal({scale})")(written) == read


@given(unscaled=st.integers(-(10**60), 10**60), scale=st.integers(-30, 60))
def test_a_decimal_comes_back_as_it_was(unscaled: int, scale: int) -> None:
    """What is read is the number that was written, with as many decimals as its scale says."""
    read = converter(f"decimal({scale})")(encoded(unscaled))
    assert Fraction(read) == unscaled * Fraction(10) ** -scale
    assert len(read.partition(".")[2]) == max(0, scale)
    assert converter("variable-scale-decimal")({"scale": scale, "value": encoded(unscaled)}) == read


@pytest.mark.parametrize(
    ("scale", "number", "read"),
    [
        (2, Decimal("199.9"), "199.90"),
        (2, 199, "199.00"),
        (2, Decimal("-0.0"), "0.00"),
        (3, Decimal("1.5E+2"), "150.000"),
        (-2, 500, "500"),
        (20, Decimal("12345678901234567.00000000000000000001"), "12345678901234567.00000000000000000001"),
    ],
)
def test_a_decimal_may_be_a_number(scale: int, number: Any, read: str) -> None:
    """The converter writes it so under ``decimal.format=NUMERIC``; the scale is the schema's."""
    assert converter(f"decimal({scale})")(number) == read


@pytest.mark.parametrize(
    ("type_name", "value", "read"),
    [
        ("date", 0, "1970-01-01"),
        ("date", -1, "1969-12-31"),
        ("date", 20_513, "2026-03-01"),
        ("date", -719_162, "0001-01-01"),
        ("date", -719_528, "0000-01-01"),
        ("date", -719_529, "-0001-12-31"),
        ("date", 2_932_896, "9999-12-31"),
        ("date", 2_932_897, "+10000-01-01"),
        ("time", 34_200_500, "09:30:00.5"),
        ("micro-time", 86_399_999_999, "23:59:59.999999"),
        ("micro-time", 86_400_000_000, "24:00:00"),
        ("micro-time", -3_020_399_000_000, "-838:59:59"),
        ("nano-time", 1, "00:00:00.000000001"),
        ("timestamp", 1_772_359_200_250, "2026-03-01T10:00:00.25"),
        ("timestamp", -1, "1969-12-31T23:59:59.999"),
        ("micro-timestamp", 1_772_359_200_000_000, "2026-03-01T10:00:00"),
        ("micro-timestamp", -1, "1969-12-31T23:59:59.999999"),
        ("micro-timestamp", -62_135_596_800_000_000, "0001-01-01T00:00:00"),
        ("nano-timestamp", 1_772_359_200_123_456_789, "2026-03-01T10:00:00.123456789"),
        ("nano-timestamp", -1, "1969-12-31T23:59:59.999999999"),
        ("nano-timestamp", 100, "1970-01-01T00:00:00.0000001"),
        ("micro-timestamp", 9_223_372_036_825_200_000, "+294247-01-10T04:00:25.2"),
        ("zoned-timestamp", "2026-03-01T09:30:00.123456789Z", "2026-03-01T09:30:00.123456789Z"),
        ("zoned-time", "09:30:00Z", "09:30:00Z"),
        ("micro-duration", 5_400_500_000, "PT5400.5S"),
        ("nano-duration", -1, "-PT0.000000001S"),
        ("json", '{"a": [1, null, 1.5]}', {"a": [1, None, 1.5]}),
        ("json", '"text"', "text"),
    ],
)
def test_counts_become_iso_8601(type_name: str, value: Any, read: str) -> None:
    """To the last digit, before 1970, and beyond four digits of a year; wall time names no zone."""
    assert converter(type_name)(value) == read


@given(st.dates(date(1, 1, 1)))
def test_every_day_is_the_calendars(day: date) -> None:
    """As Python's own calendar has it."""
    assert converter("date")((day - date(1970, 1, 1)).days) == day.isoformat()


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 999))
def test_every_moment_comes_back_as_it_was(moment: datetime, nanoseconds: int) -> None:
    """Microseconds, and nanoseconds beyond them, read as our own times are."""
    since = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_time(converter("micro-timestamp")(since)) == instant(moment)
    exact = since * 1000 + nanoseconds
    assert parse_time(converter("nano-timestamp")(exact)) == exact


@pytest.mark.parametrize(
    ("type_name", "value", "what"),
    [
        ("decimal(2)", "199.90", "is no base64 of a decimal's bytes"),
        ("decimal(2)", "", "is no base64 of a decimal's bytes"),
        ("decimal(2)", "Th", "is no base64 of a decimal's bytes"),
        ("decimal(2)", "ThY=\n", "is no base64 of a decimal's bytes"),
        ("decimal(2)", "€", "is no base64 of a decimal's bytes"),
        ("decimal(2)", True, "is no decimal"),
        ("decimal(2)", {"a": 1}, "is no decimal"),
        ("decimal(2)", Decimal("1.999"), "has more decimals than its scale, 2"),
        ("decimal(2)", "A" * 4000, "more than 4,000 digits"),
        ("decimal(2)", Decimal("1E+99999999"), "more than 4,000 digits"),
        ("decimal(0)", encoded(2**13_300), "more than 4,000 digits"),
        ("variable-scale-decimal", "ThY=", "is no object of scale and value"),
        ("variable-scale-decimal", {"scale": 1.5, "value": "ThY="}, "is no object of scale and value"),
        ("variable-scale-decimal", {"scale": 2}, "is no object of scale and value"),
        ("variable-scale-decimal", {"scale": 2**31 - 1, "value": "ThY="}, "is a decimal of scale 2147483647"),
        ("date", "2026-03-01", "is no number of days"),
        ("date", True, "is no number of days"),
        ("timestamp", "x", "is no whole number"),
        ("micro-time", Decimal("1.5"), "is no whole number"),
        ("zoned-timestamp", 5, "is no text"),
        ("json", {"a": 1}, "is no text"),
        ("json", "{", "must be JSON"),
        ("json", "[NaN]", "must hold finite numbers only"),
        ("json", "[1e999]", "must hold finite numbers only"),
        ("json", "[" * 100_000, "must be JSON"),
        ("json", "[" * 65 + "]" * 65, "must nest at most 64 levels deep"),
        ("json", f"[{2**64}]", "holds an integer over 64 bits"),
        ("json", f"[{'9' * 9_999}]", "holds an integer over 64 bits"),
    ],
)
def test_what_does_not_fit_is_said(type_name: str, value: Any, what: str) -> None:
    """No guess, and no work without end."""
    with pytest.raises(MisfitError, match=re.escape(what)):
        converter(type_name)(value)


def test_connects_names_are_known() -> None:
    """Connect's own logical types and Debezium's; what needs no decoding has nothing that decodes."""
    for name in ("Date", "Time", "Timestamp"):
        connect, debezium = (schema_converter(f"{of}.{name}", None) for of in BOTH)
        assert connect is not None
        assert connect is debezium
    for name in ("io.debezium.time.Year", "io.debezium.time.Interval", "io.debezium.data.Uuid", "db.public.t.Value"):
        assert schema_converter(name, None) is None


@pytest.mark.parametrize("parameters", [None, {}, {"scale": "x"}, {"scale": None}])
def test_a_decimal_whose_schema_names_no_scale_is_no_guess(parameters: Any) -> None:
    """It could be any number."""
    scaled = schema_converter("org.apache.kafka.connect.data.Decimal", parameters)
    assert scaled is not None
    with pytest.raises(MisfitError, match="names no scale"):
        scaled("ThY=")
