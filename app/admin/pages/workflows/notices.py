"""What was done last, said on top of the list, with a form that undoes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from aiohttp import web

from app.admin.pages.wording import count_of
from app.admin.pages.workflows.addresses import editor, ids_in
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.errors import NotFoundError

_MOST: Final = 25
# What was done, with the word for it of one and of several; and what undoes it.
_WORDS: Final = {
    "activate": ("is on. Events start it from now on", "are on. Events start them from now on", "deactivate"),
    "deactivate": ("is off. No event starts it any more", "are off. No event starts them any more", "activate"),
    "delete": (
        "is deleted. What waited of it has ended; its executions stay in the log",
        "are deleted. What waited of them has ended; their executions stay in the log",
        "restore",
    ),
    "restore": ("is back", "are back", ""),
    "made": ("is made, and off", "are made, and off", "delete"),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What was done.

    Attributes:
        undo: What undoes it, as the form of many says it; empty where nothing does.
        ids: To which it was done.
        were_on: Which of them were on before.
        look: Where to look at it; empty where there is nothing, or more than one.
    """

    said: str
    undo: str = ""
    ids: tuple[UUID, ...] = ()
    were_on: tuple[UUID, ...] = ()
    look: str = ""


async def notice(request: web.Request) -> Notice | None:
    """Return what to say, as the list's address has it; None where nothing was done, or to nothing of the caller's."""
    what = request.query.get("did", "")
    if what == "none":
        return Notice("Nothing was selected. Tick the workflows first.")
    ids = ids_in(request.query.get("ids", ""))[:_MOST]
    if what not in _WORDS or not ids:
        return None
    name = await _name(request, ids)
    if not name:
        return None
    one, several, undo = _WORDS[what]
    were_on = tuple(ids_in(request.query.get("on", ""))[:_MOST])
    look = editor(ids[0]) if len(ids) == 1 and what != "delete" else ""
    return Notice(f"{name} {one if len(ids) == 1 else several}.", undo, tuple(ids), were_on, look)


async def _name(request: web.Request, ids: Sequence[UUID]) -> str:
    """Say which: one by its name, deleted or not, several by how many they are; none that the caller may not see."""
    if len(ids) > 1:
        return count_of(len(ids), "workflow")
    try:
        (newest,) = await request.app[STATE].workflows.revisions(request[CALLER], ids[0], None, 1)
    except NotFoundError:
        return ""
    return f"“{newest['name']}”"
