"""The audit trail as administrators read it."""

from app.domain.callers import Caller
from app.domain.paging import Page, Position, page_of
from app.ports.audit import AuditEntry, AuditFilter, AuditTrail


class AuditService:
    """The use case; the API checks who may call it.

    Args:
        trail: Where the trail is kept.
    """

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail

    async def find(self, caller: Caller, wanted: AuditFilter, after: Position | None, limit: int) -> Page[AuditEntry]:
        """List who changed what, newest first."""
        rows = await self._trail.find(caller, wanted, after, limit + 1)
        return page_of(rows, limit, lambda row: Position(row.at, row.id))
