"""The time of day, for who is given no other; tests and the simulation give another."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)
