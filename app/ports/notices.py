"""What brings notifications to people: channels that an administrator set up, and the inbox in the application."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.domain.grants import Use


class ChannelUrls(Protocol):
    """Knows the services that notifications can go to."""

    async def service_of(self, url: str) -> str | None:
        """Return what the service of a channel's URL is called; None where it is no such URL.

        Raises:
            InvalidError: It leads where channels may not.
        """


class Notifier(Protocol):
    """Sends to channels by their names."""

    async def notify(self, channel: str, title: str, body: str, *, use: Use, within: float) -> None:
        """Send once, within ``within`` seconds.

        Raises:
            ActionFailedError: There is no such channel, it is not for that workflow, or it refused (permanent); it
                failed, or did not end in time (``effect_unknown`` where it may have been sent all the same).
        """


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification for one user.

    Attributes:
        id: The same, however often it is put; the command's.
    """

    id: UUID
    user: UUID
    title: str
    body: str
    workflow_id: UUID
    execution_id: UUID


class Inbox(Protocol):
    """Holds each user's notifications."""

    async def put(self, notice: Notice, *, within: float) -> None:
        """Put one in, once: the second time with the same id changes nothing.

        Raises:
            ActionFailedError: The inbox does not answer within ``within`` seconds; trying again does no harm.
        """
