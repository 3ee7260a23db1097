"""Channels and inbox in memory, held to the same contract tests as the real ones."""

from dataclasses import dataclass, field

from app.domain.errors import ActionFailedError
from app.domain.grants import Use
from app.ports import Notice


@dataclass(slots=True)
class FakeNotifier:
    """Implements ``app.ports.Notifier``.

    Attributes:
        channels: Those that there are.
        sent: Channel, title and body of what was taken, in order.
        failures: Raised by the next ones instead, one each.
    """

    channels: set[str] = field(default_factory=lambda: {"sales-team"})
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    failures: list[ActionFailedError] = field(default_factory=list)

    async def notify(self, channel: str, title: str, body: str, *, use: Use, within: float) -> None:
        """Send once."""
        if channel not in self.channels:
            raise ActionFailedError(f"there is no channel {channel}; an administrator can store one", permanent=True)
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((channel, title, body))


@dataclass(slots=True)
class MemoryInbox:
    """Implements ``app.ports.Inbox``.

    Attributes:
        notices: Those put in, in order.
    """

    notices: list[Notice] = field(default_factory=list)

    async def put(self, notice: Notice, *, within: float) -> None:
        """Put one in, once."""
        if notice.id not in {one.id for one in self.notices}:
            self.notices.append(notice)
