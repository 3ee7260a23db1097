"""The same done to many executions: each in a transaction of its own, so that one that is refused keeps none back."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.domain.errors import ConflictError, HeadraceError, NotFoundError, NotPermittedError

MOST: Final = 200
_REFUSALS: Final = (ConflictError, NotFoundError, NotPermittedError)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one: ``refused`` is why it was not done, if it was not."""

    id: UUID
    refused: HeadraceError | None = None


async def each(ids: Sequence[UUID], do: Callable[[UUID], Awaitable[Any]]) -> list[Tried]:
    """Do it to each, once, in the order of the ids; what says nothing of the one execution breaks it off."""
    return [await _tried(one, do) for one in dict.fromkeys(ids)]


async def _tried(one: UUID, do: Callable[[UUID], Awaitable[Any]]) -> Tried:
    try:
        await do(one)
    except _REFUSALS as error:
        return Tried(one, error)
    return Tried(one)
