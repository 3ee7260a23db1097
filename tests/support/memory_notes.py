"""Notes for the audit trail in memory, held to the same contract tests as those in Postgres."""

from collections import Counter
from uuid import UUID

from app.domain.callers import Caller
from app.ports.audit import FailedSignIn, Noted, Why


class MemoryNotes:
    """Implements ``app.ports.audit.AuditNotes``; it is always the same hour here.

    Attributes:
        noted: What callers did, in order.
        failed: Attempts by account, address and reason.
    """

    def __init__(self) -> None:
        self.noted: list[tuple[UUID, Noted]] = []
        self.failed: Counter[tuple[str, str, Why]] = Counter()

    async def note(self, caller: Caller, noted: Noted) -> None:
        """Add a line."""
        self.noted.append((caller.user_id, noted))

    async def note_failed(self, failed: FailedSignIn) -> None:
        """Count sign-ins that failed."""
        self.failed[failed.account or "unknown", failed.address, failed.why] += failed.attempts
