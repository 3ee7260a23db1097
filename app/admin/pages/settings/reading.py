"""Reading the forms of the settings: several values of one field, lines, versions; and what is wrong, by field."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from app.admin.pages.forms import FORM, one_of_each, said_at
from app.domain.errors import ConflictError, InvalidError

# What a form is shown again for, with what was entered; the rest is a page of its own.
REFUSED: Final = (InvalidError, ConflictError)
Refused = InvalidError | ConflictError


def wrong(error: Refused) -> tuple[int, dict[str, str]]:
    """Return the status of what was refused, and what is wrong by field; of all of it together under no name."""
    if isinstance(error, InvalidError):
        return 422, {path.partition("[")[0]: said for path, said in said_at(error).items()}
    return 409, {"": str(error)}


def text_of(request: web.Request, name: str) -> str:
    """Return a field as it was typed; browsers send line breaks as two characters."""
    return one_of_each(request).get(name, "").replace("\r\n", "\n")


def all_of(request: web.Request, name: str) -> list[str]:
    """Return the values of a field that has several, such as a list of boxes to tick."""
    return [value for value in request[FORM].get(name, ()) if value]


def lines_of(request: web.Request, name: str) -> list[str]:
    """Return what stands in a field line by line, or with commas between."""
    words = text_of(request, name).replace(",", "\n").split("\n")
    return [word.strip() for word in words if word.strip()]


def version_of(request: web.Request) -> int | None:
    """Return the version that was read before it was changed; None for any."""
    said = text_of(request, "version")
    return int(said) if said.isascii() and said.isdigit() and len(said) < len(str(2**31)) else None


def did_of(request: web.Request, words: dict[str, str]) -> str:
    """Return what was done before a page is shown, in words: an address that somebody made up says nothing."""
    return words.get(request.query.get("did", ""), "")


def joined(values: Sequence[str]) -> str:
    """Return a list as a field shows it, one a line."""
    return "\n".join(values)
