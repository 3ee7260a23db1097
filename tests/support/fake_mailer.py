"""A mail server in memory, held to the same contract tests as the one over SMTP."""

from dataclasses import replace

from app.adapters.mail.mime import build_envelope
from app.domain.errors import ActionFailedError
from app.ports import MailMessage
from tests.support.clock import NOW


class FakeMailer:
    """Takes messages or fails as told; implements ``app.ports.Mailer``.

    Attributes:
        messages: What was taken, in order.
        failures: Raised one by one, before messages are taken again.
    """

    def __init__(self) -> None:
        self.messages: list[MailMessage] = []
        self.failures: list[ActionFailedError] = []

    async def send(self, message: MailMessage, *, within: float) -> None:
        """Take a message that can be written as one; strict, as a server would be."""
        if within <= 0:
            raise ActionFailedError("no time left")
        build_envelope(message, NOW)
        if self.failures:
            raise self.failures.pop(0)
        self.messages.append(replace(message))
