"""Rows of business data as they are shown."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its times in ISO 8601 (UTC), and money and ids as text: exact for every reader."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, Decimal | UUID) else value
