"""The column ``reentry``: text. A bound that is an object stands there as JSON, which no text form looks like."""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Dialect, Text, TypeDecorator

from app.adapters.postgres.reentry_text import read_reentry


class ReentryColumn(TypeDecorator[str | Mapping[str, Any]]):
    """Stores a bound, and reads it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | Mapping[str, Any] | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write it."""
        return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | dict[str, Any] | None:  # noqa: ARG002
        """Read it."""
        return None if value is None else read_reentry(value)
