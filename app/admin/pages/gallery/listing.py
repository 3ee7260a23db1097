"""``/templates``: the gallery, by category, searched and filtered."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final, Literal

from aiohttp import web

from app.admin.pages.gallery.shown import Card, card_of
from app.admin.pages.lists import asked, link, next_page
from app.admin.pages.rendering import rendered
from app.admin.queries import Cursor, Limit, Query, Text
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.paging import read_cursor
from app.ports.templates import TemplateFilter

ROOT: Final = "/templates"
_ROWS: Final = "60"
_CATEGORIES: Final = {
    "welcome": "Welcome",
    "reengagement": "Win back",
    "sales": "Sales",
    "support": "Support",
}
_WHOSE: Final = {"mine": "Your own", "public": "Public ones"}
_DONE: Final = {"deleted": "The template is deleted. Workflows made of it stay."}


class GalleryQuery(Query):
    """Which templates to show."""

    search: Text = None
    category: Text = None
    whose: Literal["mine", "public"] | None = None
    did: Text = None
    limit: Limit = 60
    cursor: Cursor = None

    def wanted(self) -> TemplateFilter:
        """Return the filter."""
        public = True if self.whose == "public" else None
        return TemplateFilter(self.category, None, self.search, public, mine=self.whose == "mine")


async def show_gallery(request: web.Request) -> web.Response:
    """Show the gallery."""
    query, given, wrong = asked(request, GalleryQuery, limit=_ROWS)
    service, caller = request.app[STATE].templates, request[CALLER]
    found = await service.find(caller, query.wanted(), read_cursor(query.cursor), query.limit)
    categories = await service.categories(caller)
    rest = {name: value for name, value in given.items() if name != "did"}
    return rendered(
        request,
        "gallery/list.html",
        groups=_by_category([card_of(one, caller) for one in found.items]),
        categories=[(name, category_name(name), count) for name, count in categories if name],
        whose=_WHOSE,
        given=rest,
        wrong=wrong,
        words=_in_words(query),
        done=_DONE.get(query.did or "", ""),
        first=link(ROOT, rest) if query.cursor else None,
        next=next_page(request, ROOT, rest, found.next_cursor),
    )


def category_name(category: str | None) -> str:
    """Say a category to people."""
    if not category:
        return "Others"
    return _CATEGORIES.get(category) or category.replace("-", " ").capitalize()


def _by_category(cards: Iterable[Card]) -> Sequence[tuple[str, list[Card]]]:
    """Return cards by category: the built-in categories first, in their order, then others by name."""
    order = list(_CATEGORIES)

    def place(card: Card) -> tuple[int, str]:
        category = card.template.category or ""
        known = order.index(category) if category in order else len(order) + (not category)
        return known, category

    ordered = sorted(cards, key=place)
    return [(category_name(key[1]), list(group)) for key, group in groupby(ordered, key=place)]


def _in_words(query: GalleryQuery) -> list[str]:
    said = [
        f"in “{category_name(query.category)}”" if query.category else "",
        {"mine": "that are your own", "public": "that are public"}.get(query.whose or "", ""),
        f"with “{query.search}” in name or description" if query.search else "",
    ]
    return [one for one in said if one]
