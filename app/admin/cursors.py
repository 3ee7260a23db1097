"""Cursors as callers have them: a position, marked with the list that it is of.

A position alone fits every list that is ordered by a time, and there it is a page that nobody asked for. So a token
says to which path it belongs, and with which order and filters: with any other it is refused, as Google's AIP-158 has
it for page tokens. How many rows a page has may change from page to page. The mark keeps callers from a mistake, and
nobody from making one up: what may be seen is looked at with each row.
"""

from base64 import urlsafe_b64encode
from hashlib import blake2s
from typing import Any, Final

import orjson
from pydantic import BaseModel

from app.domain.errors import FieldError, InvalidError

MARK_CHARS: Final = 12
_NOT_OF_THE_LIST: Final = {"cursor", "limit"}
_OTHER: Final = "is no next_cursor of an earlier answer of this list, with the same order and filters"


def mark_of(path: str, query: BaseModel) -> str:
    """Return what the tokens of a list begin with: the same for all of its pages, and for no other list or order."""
    asked: dict[str, Any] = query.model_dump(mode="json", exclude=_NOT_OF_THE_LIST)
    said = orjson.dumps([path, asked], option=orjson.OPT_SORT_KEYS)
    return urlsafe_b64encode(blake2s(said, digest_size=MARK_CHARS * 3 // 4).digest()).decode()


def marked(mark: str, position: str | None) -> str | None:
    """Return the token of a position; None, of the last page, stays so."""
    return None if position is None else mark + position


def unmarked(mark: str, token: str) -> str:
    """Return the position of a token.

    Raises:
        InvalidError: It is of another list, or of this one in another order or with other filters, or is none.
    """
    if not token.startswith(mark):
        raise InvalidError([FieldError("cursor", _OTHER)])
    return token[MARK_CHARS:]
