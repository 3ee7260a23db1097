"""What is named once: a unique index of the API's tables, and what it says where a name is taken."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

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
