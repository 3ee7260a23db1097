"""Moments as callers write them: ISO 8601 with an offset, and nothing that only looks like one."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

# What Kafka and Postgres both keep, with room to reckon on either side.
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 1, 1, tzinfo=UTC)
_BEGINS: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]")


def _written_out(value: Any) -> Any:
    if isinstance(value, datetime) or value is None or (isinstance(value, str) and _BEGINS.match(value)):
        return value
    raise ValueError("is a moment in ISO 8601 with an offset, such as 2026-03-01T10:00:00Z")


def is_kept(value: datetime) -> bool:
    """Tell whether it is a moment that can be kept, and reckoned with."""
    return value.tzinfo is not None and _FIRST <= value < _LAST


def _kept(value: datetime) -> datetime:
    if not is_kept(value):
        raise ValueError("is before the year 1970, or after 9998, in UTC")
    return value


# Pydantic alone takes numbers, and texts that are numbers, for seconds since 1970.
WrittenMoment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
Moment = Annotated[AwareDatetime, AfterValidator(_kept), BeforeValidator(_written_out)]
