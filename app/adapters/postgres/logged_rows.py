"""Rows of the execution log as the API reads them: what cannot be read of one is left out of it, and named.

The tables refuse little, as the sink writes them most often of all; an older program, a hand, or a backup may have put
there what no contract takes. One such row takes itself from nobody's sight, nor the others of its page.
"""

import logging
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from app.domain.errors import ConflictError, FieldError
from app.metrics.admin import UNREADABLE_ROWS
from app.ports.executions import UNKNOWN_STATUS, ExecutionDetail, ExecutionSummary, LoggedResults, LoggedVerdicts
from schemas.field_errors import field_errors
from schemas.problem import ProblemError

_LOG: Final = logging.getLogger(__name__)
_INSTEAD: Final[Mapping[str, Any]] = {"status": UNKNOWN_STATUS, "event": {}}
_VERDICTS: Final = TypeAdapter[list[dict[str, Any]]](LoggedVerdicts)
_RESULTS: Final = TypeAdapter(LoggedResults)
# Rows that were told of; one that is among them is told of again once so many others were.
_REMEMBERED: Final = 1000

S = TypeVar("S", bound=ExecutionSummary)


def summary(columns: Mapping[str, Any]) -> ExecutionSummary:
    """Return what a list shows of a row."""
    return _read(ExecutionSummary, dict(columns))


def detail(columns: Mapping[str, Any]) -> ExecutionDetail:
    """Return a row in full."""
    fields = {**columns, "verdicts": _none(columns["verdicts"]), "results": _none(columns["results"])}
    return _read(ExecutionDetail, fields)


def verdicts_of(execution_id: UUID, stored: Any) -> list[dict[str, Any]] | None:
    """Return the verdicts of a row; None where it has none, or none that can be read."""
    try:
        return None if stored is None else _VERDICTS.validate_python(stored)
    except ValidationError as error:
        _tell(execution_id, tuple(_named("verdicts", error)))
        return None


def event_of(execution_id: UUID, stored: Any) -> dict[str, Any]:
    """Return the event of a row; one without fields where it cannot be read."""
    if isinstance(stored, dict):
        return stored
    _tell(execution_id, (FieldError("event", "must be an object"),))
    return {}


def to_go_on_from(columns: Mapping[str, Any]) -> ExecutionDetail:
    """Return a row in full, for its next attempt.

    Raises:
        ConflictError: It cannot be read in full: what succeeded would perhaps be done again.
    """
    found = detail(columns)
    if found.unreadable:
        raise ConflictError(f"The execution's row in the log cannot be read: {said(found.unreadable)}")
    return found


def said(wrong: Iterable[ProblemError | FieldError]) -> str:
    """Say what cannot be read of a row."""
    return "; ".join(f"{one.path} {one.message}" for one in wrong)


def _read(model: type[S], fields: dict[str, Any]) -> S:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        wrong = field_errors(error, None)
        _tell(fields["id"], tuple(wrong))
        named = [ProblemError(path=one.path, message=one.message) for one in wrong]
        return model.model_validate({**readable(fields, error, _INSTEAD), "unreadable": named})


def readable(fields: Mapping[str, Any], error: ValidationError, instead: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields without what is wrong: a member of a list is left out, another field stands as nothing.

    Args:
        fields: All of them.
        error: What is wrong with them.
        instead: What stands for a field; a list without members for one that is not among them.
    """
    places = [(*one["loc"], None) for one in error.errors(include_url=False)]
    wrong = {place[0] for place in places if not isinstance(place[1], int)}
    members = {(place[0], place[1]) for place in places}
    kept = {**fields, **{str(name): instead.get(str(name), []) for name in wrong}}
    for name in {name for name, _ in members} - wrong:
        kept[str(name)] = [one for at, one in enumerate(fields[str(name)]) if (name, at) not in members]
    return kept


def _none(stored: Any) -> Any:
    return [] if stored is None else stored


def _named(field: str, error: ValidationError) -> list[FieldError]:
    return [FieldError(f"{field}{one.path}", one.message) for one in field_errors(error, None)]


@lru_cache(_REMEMBERED)
def _tell(execution_id: UUID, wrong: tuple[FieldError, ...]) -> None:
    UNREADABLE_ROWS.inc()
    told = {"execution_id": str(execution_id), "why": said(wrong)}
    _LOG.error("a row of the execution log cannot be read in full", extra=told)
