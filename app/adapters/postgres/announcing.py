"""What changes to business data have in common: rows as they are shown, names taken."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.domain.errors import ConflictError

_TAKEN: Final = "23505"


@contextmanager
def named_once(said: str) -> Iterator[None]:
    """Say what a unique index has refused.

    Raises:
        ConflictError: With ``said``; the transaction is lost.
    """
    try:
        yield
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == _TAKEN:
            raise ConflictError(said) from error
        raise


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its times in ISO 8601 (UTC), and money and ids as text: exact for every reader."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, Decimal | UUID) else value
