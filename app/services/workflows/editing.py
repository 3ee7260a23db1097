"""What is the same of workflows and both kinds of templates: users write them, and change them by their version."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from app.domain.errors import ConflictError, FieldError, InvalidError, NotFoundError, StaleVersionError
from app.domain.paging import Page, Position, page_of
from app.domain.versions import Expected, is_expected
from schemas.message_template import MessageTemplate
from schemas.problem import ProblemError
from schemas.template import Template
from schemas.workflow import Workflow

MISSING: Final = "There is no such workflow"
_COPY: Final = "Copy of "
_NAME_CHARS: Final = 255

Found = TypeVar("Found")
Kept = TypeVar("Kept", Workflow, Template, MessageTemplate)
InFull = TypeVar("InFull", Workflow, Template)


def found(kept: Found | None, missing: str) -> Found:
    """Return what is there.

    Raises:
        NotFoundError: It is not; ``missing`` says so.
    """
    if kept is None:
        raise NotFoundError(missing)
    return kept


def at_version(kept: Kept, version: Expected, noun: str) -> Kept:
    """Return what has the version that a caller has read; None is any.

    Raises:
        StaleVersionError: It has another by now; ``noun`` is what it is called.
    """
    if not is_expected(kept.version, version):
        raise StaleVersionError(f"The {noun} is at version {kept.version} by now; read it again")
    return kept


def in_full(kept: InFull) -> InFull:
    """Return what can be read in full: what is made of the rest would be without what is left out.

    Raises:
        ConflictError: It cannot, as it is stored; it names what.
    """
    refuse_unreadable(kept.unreadable)
    return kept


def refuse_unreadable(unreadable: Iterable[ProblemError]) -> None:
    """Refuse what is stored as cannot be read.

    Raises:
        ConflictError: Something cannot be read; it names what.
    """
    named = "; ".join(f"{one.path} {one.message}" for one in unreadable)
    if named:
        raise ConflictError(f"As it is stored it cannot be read in full: {named}. Replace all of it first")


def next_version(kept: Kept, changes: dict[str, Any], now: datetime) -> Kept:
    """Return the next version of something, with changes.

    Raises:
        ConflictError: It would be without what cannot be read of it, which the changes do not replace.
    """
    if not isinstance(kept, MessageTemplate):
        refuse_unreadable(one for one in kept.unreadable if re.split(r"[.\[]", one.path)[0] not in changes)
    return kept.model_copy(update={**changes, "version": kept.version + 1, "updated_at": now})


def newest_first(rows: Sequence[Kept], limit: int) -> Page[Kept]:
    """Return a page of what was read, one row more than ``limit`` where there are more."""
    return page_of(rows, limit, lambda kept: Position(kept.created_at, kept.id))


def written(kept: Kept, draft: type[BaseModel]) -> dict[str, Any]:
    """Return what a user has written of something, as they would write it again."""
    return kept.model_dump(mode="json", include=set(draft.model_fields))


def fields(draft: BaseModel) -> dict[str, Any]:
    """Return a draft's fields, as they are."""
    return {name: getattr(draft, name) for name in type(draft).model_fields}


def refuse_no_object(value: Any, what: str) -> None:
    """Refuse what is no JSON object, where a merge patch is to be one.

    Raises:
        InvalidError: It is none.
    """
    if not isinstance(value, dict):
        raise InvalidError([FieldError("", f"{what} is a JSON object")])


def copy_name(name: str) -> str:
    """Return what a copy is called, no longer than a name may be."""
    return f"{_COPY}{name}"[:_NAME_CHARS]
