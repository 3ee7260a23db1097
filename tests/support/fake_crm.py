"""A CRM in memory, held to the same contract tests as the one in Postgres."""

from collections.abc import Sequence
from uuid import UUID

from app.ports import NoteRequest, TagRequest


class FakeCrm:
    """Tags and notes in memory; implements ``app.ports.Crm``.

    Attributes:
        tags: Pairs of customer id and tag.
        notes: Notes by id.
    """

    def __init__(self) -> None:
        self.tags: set[tuple[str, str]] = set()
        self.notes: dict[UUID, NoteRequest] = {}

    async def apply_tags(self, requests: Sequence[TagRequest]) -> list[bool]:
        """Apply tags in order; True where the customer did not have the tag yet."""
        applied = []
        for request in requests:
            pair = (request.customer_id, request.tag)
            applied.append(pair not in self.tags)
            self.tags.add(pair)
        return applied

    async def create_notes(self, requests: Sequence[NoteRequest]) -> None:
        """Write notes; one that is there already is left as it is."""
        for request in requests:
            self.notes.setdefault(request.note_id, request)
