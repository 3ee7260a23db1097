"""Every page of workflows but the editor; what is named comes before what takes any id."""

from typing import Final

from app.admin.operations import Operation
from app.admin.pages.workflows import creating, from_event, from_file, history, listing, many

PAGES: Final[tuple[Operation, ...]] = (
    *listing.PAGES,
    *creating.PAGES,
    *from_event.PAGES,
    *from_file.PAGES,
    *many.PAGES,
    *history.PAGES,
)
