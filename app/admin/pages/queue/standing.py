"""``/queue``: how each role keeps up, destinations that are failing, and what Kafka did not take."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web

from app.admin.pages.queue.words import role_words, set_aside_words
from app.admin.pages.rendering import rendered
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.errors import UnreachableError
from app.ports.queue_status import StoreStatus
from app.services.operations.queue_status import QueueView, RoleDepth

# Half a minute is no longer the time that a step takes.
BEHIND_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the sentence on top; the script shows and hides it, and tells its number.

    Attributes:
        name: What it tells of.
        count: How many; it is shown where there is any.
        one: Its words for one, and ``several`` for more: # stands for the number.
        link: Where more of it is.
    """

    name: str
    count: int
    one: str
    several: str
    link: str

    @property
    def said(self) -> str:
        """Return the words for as many as there are."""
        return self.one if self.count == 1 else self.several.replace("#", f"{self.count:,}")


async def show_queue(request: web.Request) -> web.Response:
    """Show how the queue stands; where Kafka does not answer, as much as is known without it."""
    queue = request.app[STATE].queue
    try:
        view = await queue.view(request[CALLER])
    except UnreachableError as error:
        stored = await queue.stored()
        return _page(request, stored, None, away=str(error))
    return _page(request, view, view, away="")


def _page(request: web.Request, stored: QueueView | StoreStatus, view: QueueView | None, *, away: str) -> web.Response:
    parts = list(_parts(stored, view))
    return rendered(
        request,
        "queue/standing.html",
        status=HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.OK,
        parts=parts,
        fine=not away and not any(part.count for part in parts),
        away=away,
        stored=stored,
        view=view,
        roles=[(role, *role_words(role.role)) for role in view.roles] if view else [],
        breakers=stored.breakers or [],
        set_aside=[(one, set_aside_words(one.reason)) for one in stored.set_aside or ()],
    )


def _parts(stored: QueueView | StoreStatus, view: QueueView | None) -> Iterator[Part]:
    behind = sum(map(is_behind, view.roles)) if view else 0
    breakers, aside = stored.breakers or (), stored.set_aside or ()
    yield Part("behind", behind, "1 role does not keep up", "# roles do not keep up", "#roles")
    late = int(stored.outbox_oldest_s >= BEHIND_S)
    yield Part("outbox", late, "what is to be sent to Kafka waits", "what is to be sent to Kafka waits", "#figures")
    yield Part("breakers", len(breakers), "1 destination is failing", "# destinations are failing", "#breakers")
    count = sum(one.count for one in aside)
    yield Part(
        "set_aside", count, "Kafka did not take 1 record", "Kafka did not take # records", "/queue?show=aside#aside"
    )
    letters = "/queue/dead-letters?state=open"
    yield Part("dead_letters", stored.dead_letters or 0, "1 dead letter is open", "# dead letters are open", letters)


def is_behind(role: RoleDepth) -> bool:
    """Tell whether a role has records that it does not get on with, or no process that would."""
    return role.processes == 0 or (role.depth > 0 and (role.oldest_s or 0) >= BEHIND_S)
