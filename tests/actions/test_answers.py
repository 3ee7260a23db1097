"""What an HTTP answer means, and what is kept of it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.actions.answers import MAX_KEPT_BYTES, check_answer, output_of, retry_after, wait_asked
from app.domain.errors import ActionFailedError
from app.ports import HttpAnswer
from schemas.result import MAX_RESULT_BYTES
from tests.support.clock import NOW


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_2xx_is_success(status: int) -> None:
    """Every 2xx passes."""
    check_answer(HttpAnswer(status, {}, ""))


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        *((status, True) for status in (301, 304, 308, 400, 401, 404, 410, 422)),
        *((status, False) for status in (408, 425, 429, 500, 502, 503, 599)),
    ],
)
def test_other_statuses_fail_for_good_or_for_now(status: int, permanent: bool) -> None:  # noqa: FBT001 - a test's parameter
    """408, 425, 429 and 5xx may be tried again; redirects and other 4xx not. The text holds status and answer."""
    with pytest.raises(ActionFailedError, match=str(status)) as failure:
        check_answer(HttpAnswer(status, {"retry-after": "3"}, "because\nof this\x00"))
    assert failure.value.permanent is permanent
    assert failure.value.retry_after == (None if permanent else 3.0)
    assert not failure.value.effect_unknown
    assert "\x00" not in str(failure.value)
    assert ("redirects are not followed" in str(failure.value)) == (status in {301, 308})
    assert ("neither success nor another address" in str(failure.value)) == (status == 304)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("9999999999", 86_400.0),
        ("-5", None),
        ("1.5", None),
        ("\u0663", None),
        ("soon", None),
        ("", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), 0.0),
        ("Sun, 01 Mar 2026 12:01:00", 60.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    """Both forms of Retry-After are honoured, within a day; what is neither is as if it were not there."""
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize("off", [timedelta(hours=-1), timedelta(), timedelta(hours=1)])
def test_a_date_to_come_back_at_is_by_the_clock_that_tells_it(off: timedelta) -> None:
    """The server's may be an hour from ours: it is 90 seconds from its own Date, which it says beside."""
    told = datetime.now(UTC) + off
    headers = {"date": format_datetime(told, usegmt=True), "retry-after": format_datetime(told + timedelta(seconds=90))}
    assert wait_asked(headers) == 90.0


@pytest.mark.parametrize("date", [None, "", "soon"])
def test_a_date_to_come_back_at_counts_from_now_where_the_answer_has_none(date: str | None) -> None:
    """Nothing better is known."""
    headers = {} if date is None else {"date": date}
    wait = wait_asked({**headers, "retry-after": format_datetime(datetime.now(UTC) + timedelta(hours=1))})
    assert wait is not None
    assert 3500 < wait <= 3600


def test_a_json_answer_is_kept_as_its_value() -> None:
    """Later steps can reach into a JSON answer; text stays text, and so does broken JSON."""
    kept = output_of(HttpAnswer(201, {"content-type": "application/json; charset=utf-8"}, '{"id": [7]}'))
    assert kept == {"status": 201, "body": {"id": [7]}}
    assert output_of(HttpAnswer(200, {}, '{"id":7}'))["body"] == '{"id":7}'
    assert output_of(HttpAnswer(200, {"content-type": "application/problem+json"}, '{"id"'))["body"] == '{"id"'
    assert output_of(HttpAnswer(204, {}, "")) == {"status": 204, "body": ""}


@pytest.mark.parametrize(
    "body",
    [
        '{"a":"\\u0000"}',
        "[" * 600 + "]" * 600,
        "[" * 250 + "]" * 250,
        "[" * 33 + "]" * 33,
        '"\\ud800"',
        "NaN",
        '{"a":' * 300 + "1" + "}" * 300,
    ],
)
def test_json_that_could_not_be_stored_is_kept_as_text(body: str) -> None:
    """NULs, nesting too deep to write again, lone surrogates: the answer is text then, and can be stored."""
    kept = output_of(HttpAnswer(200, {"content-type": "application/json"}, body))
    assert isinstance(kept["body"], str)


def test_a_json_answer_too_large_to_keep_is_kept_as_the_beginning_of_its_text() -> None:
    """Half a value would be no value; half a text is."""
    kept = output_of(HttpAnswer(200, {"content-type": "application/json"}, '["' + "x" * 3000 + '"]'))["body"]
    assert kept.startswith('["xxx')
    assert len(orjson.dumps(kept)) <= MAX_KEPT_BYTES


@given(st.text(st.characters(codec=None), max_size=3000), st.sampled_from(["application/json", "text/html", ""]))
def test_whatever_is_answered_the_output_fits_and_can_be_stored(body: str, content_type: str) -> None:
    """No answer makes an output that is too large for a result, holds a NUL, or cannot be written as JSON."""
    kept = orjson.dumps(output_of(HttpAnswer(200, {"content-type": content_type}, body)))
    assert len(kept) <= min(MAX_KEPT_BYTES + 100, MAX_RESULT_BYTES)
    assert b"\\u0000" not in kept.replace(b"\\\\", b"")


def test_the_clock_of_retry_after_is_utc() -> None:
    """A date an hour ahead asks for an hour at most, whatever the zone of this machine."""
    ahead = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    with pytest.raises(ActionFailedError) as failure:
        check_answer(HttpAnswer(503, {"retry-after": ahead}, ""))
    assert failure.value.retry_after == pytest.approx(3600, abs=5)
