"""Finds the row that Postgres refuses, by halving the batch, so that the rest goes on (docs/design.md#31-outages)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import psycopg

from app.adapters.postgres.refusals import in_our_words
from app.domain.errors import AT_FAULT
from app.ports.execution_log import Refused

T = TypeVar("T")


async def bisect(
    items: Sequence[T], write: Callable[[Sequence[T]], Awaitable[None]], refuse: Callable[[T, Refused], None]
) -> None:
    """Write ``items``, all that can be written.

    Args:
        items: What to write, not empty.
        write: Writes a part of them, all or nothing.
        refuse: Called for each item that Postgres refuses when it is alone.

    Raises:
        psycopg.Error: Postgres failed for another reason.
    """
    try:
        await write(items)
    except psycopg.Error as error:
        if not is_refusal(error):
            raise
        if len(items) == 1:
            refuse(items[0], Refused(in_our_words(error)))
            return
        middle = len(items) // 2
        for half in (items[:middle], items[middle:]):
            await bisect(half, write, refuse)


def is_refusal(error: psycopg.Error) -> bool:
    """Tell whether a row is at fault, rather than Postgres's state."""
    # Without a code it is psycopg itself that cannot send the value.
    return error.sqlstate.startswith(AT_FAULT) if error.sqlstate else isinstance(error, psycopg.DataError)
