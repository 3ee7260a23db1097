"""Where a page of things ended: a time and an id, as an opaque token."""

import base64
import binascii
from datetime import datetime
from typing import Any

from app.domain.errors import FieldError, InvalidError
from app.domain.times import is_readable
from app.ports.systems import Kind, Repository, Row, Wanted


def read_cursor(cursor: str | None) -> tuple[datetime, str] | tuple[None, None]:
    """Read a token that a page ended with.

    Raises:
        InvalidError: It is no such token.
    """
    if cursor is None:
        return None, None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, mark, thing_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition("|")
        at = datetime.fromisoformat(moment)
    except (binascii.Error, ValueError):
        at, mark, thing_id = None, "", ""
    if at is None or at.tzinfo is None or not is_readable(at) or not mark or "\x00" in thing_id:
        raise InvalidError([FieldError("cursor", "is no next_cursor of an earlier answer")])
    return at, thing_id


async def page_of(repository: Repository, kind: Kind, query: Any, customer: str | None = None) -> Row:
    """Return a page of things, and the cursor of the next.

    Args:
        repository: Where to look for it.
        kind: The kind of things on it.
        query: ``customer_id``, ``status``, ``cursor`` and ``limit``.
        customer: Instead of the query's.

    Raises:
        InvalidError: The cursor cannot be read.
    """
    at, after = read_cursor(query.cursor)
    wanted = Wanted(customer or query.customer_id, query.status, at, after, query.limit + 1)
    rows = await repository.page(kind, wanted)
    listed = [row.pop("listed_at") for row in rows]
    more = len(rows) > query.limit
    items = rows[: query.limit]
    last = f"{listed[len(items) - 1]}|{items[-1]['id']}" if more else None
    token = last and base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")
    return {"items": items, "next_cursor": token}
