"""What hands e-mail to a mail server."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MailMessage:
    """One e-mail, rendered. Addresses are checked, headers hold no line breaks."""

    message_id: str
    sender: str
    to: Sequence[str]
    subject: str
    text: str
    html: str | None = None
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    reply_to: str | None = None


class Mailer(Protocol):
    """Hands e-mail to a mail server."""

    async def send(self, message: MailMessage, *, within: float) -> None:
        """Deliver to the server within ``within`` seconds.

        Raises:
            ActionFailedError: Refused (5yz: permanent; 4yz: not) or unreachable.
        """
