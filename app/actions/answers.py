"""What an HTTP answer means for an attempt: success, try again (when?), or give up; and what is kept of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson

from app.domain.errors import ActionFailedError
from app.domain.retry import RETRYABLE_STATUSES
from app.domain.storable import marked
from app.domain.values import depth
from app.ports import HttpAnswer
from app.ports.http import REDIRECTS

MAX_KEPT_BYTES: Final = 2048
MAX_KEPT_LEVELS: Final = 32
MAX_QUOTED_CHARS: Final = 200
MAX_RETRY_AFTER: Final = 86_400.0


def check_answer(answer: HttpAnswer, redirects: int = 0) -> None:
    """Return if the status is 2xx.

    Args:
        answer: The last answer.
        redirects: How many were allowed on the way to it.

    Raises:
        ActionFailedError: Any other; not permanent for 408, 425, 429 and 5xx.
    """
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004 - the status classes of HTTP are best read as numbers
        return
    if 300 <= status < 400:  # noqa: PLR2004 - the same
        followed = f"at most {redirects} are followed" if redirects else "redirects are not followed"
        means = f"a redirect; {followed}" if status in REDIRECTS else "neither success nor another address"
        raise ActionFailedError(f"answered {status}, {means}", permanent=True, answered=True)
    quote = " ".join(answer.body.split())[:MAX_QUOTED_CHARS]
    retryable = status in RETRYABLE_STATUSES or status >= 500  # noqa: PLR2004 - the same
    raise ActionFailedError(
        f"answered {status}" + (f": {marked(quote)}" if quote else ""),
        permanent=not retryable,
        retry_after=wait_asked(answer.headers) if retryable else None,
        answered=is_an_answer(status),
    )


def is_an_answer(status: int) -> bool:
    """Tell whether a status says that the destination serves: all but 5xx, and 429, by which it asks for less."""
    return status < 500 and status != 429  # noqa: PLR2004 - the same


def wait_asked(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer asks to be left alone for; None where it says nothing readable.

    A moment is counted from when the answer was made, by the clock that it is told by: ours may be another. One that
    does not say when it was made is counted from now.
    """
    return retry_after(headers.get("retry-after"), _moment(headers.get("date", "")) or datetime.now(UTC))


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, 0 to a day; None where it says nothing readable."""
    if value is None:
        return None
    stripped = value.strip()
    if stripped.isascii() and stripped.isdigit():
        return min(float(stripped), MAX_RETRY_AFTER)
    moment = _moment(stripped)
    return None if moment is None else min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER)


def _moment(date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def output_of(answer: HttpAnswer) -> dict[str, Any]:
    """Return what later steps see: ``{status, body}``; a JSON answer as its value, any other as text.

    The body's share of the slip is bounded: longer text is cut, deeply nested JSON stays text. What Postgres cannot
    store is replaced.
    """
    if not answer.body:
        return {"status": answer.status, "body": ""}
    if answer.headers.get("content-type", "").partition(";")[0].strip().endswith("json"):
        value = _json_value(answer.body)
        if value is not None:
            return {"status": answer.status, "body": value}
    return {"status": answer.status, "body": cut(marked(answer.body), MAX_KEPT_BYTES)}


def cut(text: str, limit: int) -> str:
    """Return the longest beginning of ``text`` whose JSON has at most ``limit`` bytes."""
    if len(orjson.dumps(text)) <= limit:
        return text
    low, high = 0, min(len(text), limit)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(orjson.dumps(text[:middle])) <= limit else (low, middle - 1)
    return text[:low]


def _json_value(body: str) -> Any:
    if "\\u0000" in body:
        return None
    try:
        value = orjson.loads(body)
        fits = depth(value, MAX_KEPT_LEVELS) <= MAX_KEPT_LEVELS and len(orjson.dumps(value)) <= MAX_KEPT_BYTES
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, UnicodeEncodeError):
        return None
    return value if fits else None
