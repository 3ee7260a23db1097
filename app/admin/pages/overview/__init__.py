"""``/``: one sentence that is true, how the last day went, what fails most, and what ran last."""

from typing import Final

from app.admin.pages.overview import showing

PAGES: Final = showing.PAGES
