"""Notifications: what the in-app inbox of a user holds."""

from datetime import datetime
from uuid import UUID

from schemas.base import Contract


class Notification(Contract):
    """A notification as its user sees it.

    Attributes:
        id: The id of the command that made it.
        workflow_id: The workflow whose action it was.
        execution_id: The execution that it was in.
        read_at: When its user marked it as read; None: not yet.
    """

    id: UUID
    title: str
    body: str
    workflow_id: UUID
    execution_id: UUID
    created_at: datetime
    read_at: datetime | None
