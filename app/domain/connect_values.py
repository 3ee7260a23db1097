"""Values as Kafka Connect and Debezium write them into JSON, made exact text. Pure.

Decimals come as base64 of their unscaled value (big-endian two's complement), dates and times as counts since 1970.
They become plain decimal text with all decimals of their scale, and ISO 8601 with every digit that is there.

Debezium counts a column without a time zone as if its wall time were UTC, whichever zone was meant, so what comes of it
names no zone. Columns with one come as ``ZonedTimestamp``, which is ISO 8601 already. Years that have not four digits
are written as ISO 8601 extends them, ``+10000-01-01`` and ``-0044-03-15``. Times of day may be negative or over 24
hours, as MySQL's are.
"""

import json
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final

from app.domain.values import MAX_NUMBER_BITS, check_json

Convert = Callable[[Any], Any]

MAX_SCALE: Final = 4_000
MAX_NESTING: Final = 64
_LEAST, _MOST = -(2**63), 2**64 - 1
_MAX_BASE64: Final = 4 * (MAX_NUMBER_BITS // 24 + 2)
_DAY_S: Final = 86_400
_MILLI, _MICRO, _NANO = 10**3, 10**6, 10**9
_CONNECT: Final = "org.apache.kafka.connect.data."
_TIME: Final = "io.debezium.time."
_DECIMAL: Final = f"{_CONNECT}Decimal"
_DECIMAL_TYPE: Final = re.compile(r"decimal\((-?[0-9]{1,4})\)\Z")


class MisfitError(ValueError):
    """A value is not what its type says; the text says what it is not."""


def decimal(value: Any, scale: int) -> str:
    """Read a decimal: base64, or a number where the converter's ``decimal.format`` is NUMERIC.

    Args:
        value: A value from JSON; a number with a fraction as a :class:`Decimal`, for a float has lost digits.
        scale: How many of its digits are decimals; negative: zeros to add.

    Raises:
        MisfitError: The value is no decimal.
    """
    if not -MAX_SCALE <= scale <= MAX_SCALE:
        raise MisfitError(f"is a decimal of scale {scale}; at most {MAX_SCALE} is read")
    unscaled = _unscaled(value) if isinstance(value, str) else _shifted(value, scale)
    if unscaled.bit_length() > MAX_NUMBER_BITS:
        raise MisfitError("is a decimal of more than 4,000 digits")
    digits = tuple(map(int, str(abs(unscaled))))
    return format(Decimal((int(unscaled < 0), digits, -scale)), "f")


def _unscaled(text: str) -> int:
    if len(text) > _MAX_BASE64:
        raise MisfitError("is a decimal of more than 4,000 digits")
    try:
        found = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        found = b""
    if not found:
        raise MisfitError("is no base64 of a decimal's bytes")
    return int.from_bytes(found, "big", signed=True)


def _shifted(value: Any, scale: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise MisfitError("is no decimal")
    sign, digits, exponent = Decimal(value).as_tuple()
    shift = int(exponent) + scale
    if len(digits) > MAX_SCALE or abs(shift) > 2 * MAX_SCALE:
        raise MisfitError("is a decimal of more than 4,000 digits")
    whole = int("".join(map(str, digits)))
    power: int = 10 ** abs(shift)
    shifted, rest = (whole * power, 0) if shift >= 0 else divmod(whole, power)
    if rest:
        raise MisfitError(f"has more decimals than its scale, {scale}")
    return -shifted if sign else shifted


def variable_scale_decimal(value: Any) -> str:
    """Read ``{"scale": ..., "value": ...}``.

    Raises:
        MisfitError: It is no such object.
    """
    if not isinstance(value, dict) or not isinstance(value.get("value"), str):
        raise MisfitError("is no object of scale and value")
    return decimal(value["value"], _count(value.get("scale"), "is no object of scale and value"))


def date(value: Any) -> str:
    """Read a count of days since 1970.

    Raises:
        MisfitError: The value is no number of days.
    """
    return _day(_count(value, "is no number of days"))


def timestamp(value: Any, per_second: int) -> str:
    """Read a count since 1970 as date and wall time.

    Raises:
        MisfitError: The value is no count.
    """
    seconds, fraction = divmod(_count(value), per_second)
    days, second = divmod(seconds, _DAY_S)
    return f"{_day(days)}T{_clock(second)}{_fraction(fraction, per_second)}"


def time_of_day(value: Any, per_second: int) -> str:
    """Read a count since midnight.

    Raises:
        MisfitError: The value is no count.
    """
    count = _count(value)
    seconds, fraction = divmod(abs(count), per_second)
    return f"{'-' if count < 0 else ''}{_clock(seconds)}{_fraction(fraction, per_second)}"


def duration(value: Any, per_second: int) -> str:
    """Read a count of time as an ISO 8601 duration.

    Raises:
        MisfitError: The value is no count.
    """
    count = _count(value)
    seconds, fraction = divmod(abs(count), per_second)
    return f"{'-' if count < 0 else ''}PT{seconds}{_fraction(fraction, per_second)}S"


def text(value: Any) -> str:
    """Read what is ISO 8601 already.

    Raises:
        MisfitError: It is no text.
    """
    if not isinstance(value, str):
        raise MisfitError("is no text")
    return value


def document(value: Any) -> Any:
    """Read JSON that was written as a text: a JSON column, or a document of MongoDB.

    Raises:
        MisfitError: The text is no JSON, or holds what no event may.
    """
    try:
        found = json.loads(text(value), parse_int=_integer)
        check_json(found, MAX_NESTING)
    except MisfitError:
        raise
    except (RecursionError, ValueError) as error:
        why = str(error) if str(error).startswith("must") else "must be JSON"
        raise MisfitError(f"is no JSON of ours: {why}") from None
    return found


def _integer(literal: str) -> int:
    # By length first: Python itself refuses to read some thousand digits.
    if len(literal) > len(str(_MOST)) or not _LEAST <= int(literal) <= _MOST:
        raise MisfitError("holds an integer over 64 bits")
    return int(literal)


def _count(value: Any, what: str = "is no whole number") -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise MisfitError(what)
    return value


def _day(days: int) -> str:
    # Counted from 1 March of the year 0 in eras of 400 years, whose days are all the same: no calendar's end is met.
    era, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    year += 400 * era + (month >= 10)  # noqa: PLR2004 - January and February are of the next year
    shown = f"{year:04d}" if 0 <= year <= 9_999 else f"{year:+05d}"  # noqa: PLR2004 - four digits
    return f"{shown}-{(month + 2) % 12 + 1:02d}-{day + 1:02d}"


def _clock(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}"


def _fraction(count: int, per_second: int) -> str:
    return f".{count + per_second}".replace(".1", ".", 1).rstrip("0") if count else ""


_BY_NAME: Final[Mapping[str, Convert]] = {
    "variable-scale-decimal": variable_scale_decimal,
    "date": date,
    "time": partial(time_of_day, per_second=_MILLI),
    "micro-time": partial(time_of_day, per_second=_MICRO),
    "nano-time": partial(time_of_day, per_second=_NANO),
    "timestamp": partial(timestamp, per_second=_MILLI),
    "micro-timestamp": partial(timestamp, per_second=_MICRO),
    "nano-timestamp": partial(timestamp, per_second=_NANO),
    "json": document,
    "zoned-time": text,
    "zoned-timestamp": text,
    "micro-duration": partial(duration, per_second=_MICRO),
    "nano-duration": partial(duration, per_second=_NANO),
}
_SCHEMAS: Final[Mapping[str, str]] = {
    f"{_CONNECT}Date": "date",
    f"{_CONNECT}Time": "time",
    f"{_CONNECT}Timestamp": "timestamp",
    f"{_TIME}Date": "date",
    f"{_TIME}Time": "time",
    f"{_TIME}MicroTime": "micro-time",
    f"{_TIME}NanoTime": "nano-time",
    f"{_TIME}Timestamp": "timestamp",
    f"{_TIME}MicroTimestamp": "micro-timestamp",
    f"{_TIME}NanoTimestamp": "nano-timestamp",
    f"{_TIME}ZonedTime": "zoned-time",
    f"{_TIME}ZonedTimestamp": "zoned-timestamp",
    f"{_TIME}MicroDuration": "micro-duration",
    f"{_TIME}NanoDuration": "nano-duration",
    "io.debezium.data.Json": "json",
    "io.debezium.data.VariableScaleDecimal": "variable-scale-decimal",
}


def converter(type_name: str) -> Convert:
    """Return what reads a type that a source's settings name.

    Raises:
        ValueError: There is no such type; the message says which there are.
    """
    scaled = _DECIMAL_TYPE.match(type_name)
    if scaled is not None and abs(int(scaled[1])) <= MAX_SCALE:
        return partial(decimal, scale=int(scaled[1]))
    if type_name not in _BY_NAME:
        raise ValueError(f"no such type; there are decimal(<scale>), {', '.join(_BY_NAME)}")
    return _BY_NAME[type_name]


def schema_converter(name: str, parameters: Any) -> Convert | None:
    """Return what reads values of a named Connect schema; None where they are what they look like."""
    if name != _DECIMAL:
        return _BY_NAME[_SCHEMAS[name]] if name in _SCHEMAS else None
    try:
        return partial(decimal, scale=int(parameters["scale"]))
    except (KeyError, TypeError, ValueError):
        return _without_scale


def _without_scale(_: Any) -> str:
    raise MisfitError("is a decimal whose schema names no scale")
