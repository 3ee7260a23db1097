"""``/executions``: what ran, what did not and why; what waits; and one of them in full."""

from typing import Final

from app.admin.pages.executions import detail, listing, waiting

PAGES: Final = (*listing.PAGES, *waiting.PAGES, *detail.PAGES)
