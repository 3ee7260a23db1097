"""A moment that tests agree on."""

from datetime import UTC, datetime
from typing import Final

NOW: Final = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
