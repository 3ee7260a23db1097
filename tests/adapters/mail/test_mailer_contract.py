"""The contract of ``Mailer``, on the fake and on SMTP to a strict server."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from app.adapters.mail.smtp import SmtpServer, open_mailer
from app.domain.errors import ActionFailedError
from app.embedded.mail import Mailbox
from app.ports import Mailer, MailMessage
from tests.support.deadlines import scaled
from tests.support.fake_mailer import FakeMailer

MESSAGE = MailMessage(
    message_id="<6f1c2f0e-3c6b-5d07-9a43-0d8d0b7f3a11@shop.example>",
    sender="The Shop <shop@shop.example>",
    to=["Ada Lovelace <ada@customers.example>"],
    cc=["support@shop.example"],
    bcc=["audit@shop.example"],
    reply_to="support@shop.example",
    subject="Obrigado, João ✓",
    text="Olá João,\n.\nobrigado!\n",
    html="<p>Olá João</p>",
)


@dataclass(frozen=True, slots=True)
class World:
    """A mailer, and the Message-IDs of what the server took."""

    mailer: Mailer
    taken: Callable[[], Sequence[str]]


@pytest.fixture(params=["fake", "smtp"])
async def world(request: pytest.FixtureRequest, mailbox: Mailbox) -> AsyncIterator[World]:
    """Both implementations, one after the other."""
    if request.param == "fake":
        fake = FakeMailer()
        yield World(fake, lambda: [message.message_id for message in fake.messages])
        return
    async with open_mailer(SmtpServer("127.0.0.1", mailbox.smtp_port)) as mailer:
        yield World(mailer, lambda: [mail.message_id for mail in mailbox.mails])


async def test_a_message_is_taken_once(world: World) -> None:
    """What was sent is there when ``send`` returns, under its Message-ID, once."""
    await world.mailer.send(MESSAGE, within=scaled(5))
    assert list(world.taken()) == [MESSAGE.message_id]


@pytest.mark.parametrize(
    "bad",
    [
        replace(MESSAGE, to=["nobody"]),
        replace(MESSAGE, cc=["a@b.example, c@d.example"]),
        replace(MESSAGE, sender="shop"),
        replace(MESSAGE, subject="Hi\r\nBcc: victim@example.org"),
        replace(MESSAGE, message_id="<a@b>\r\nX-Evil: 1"),
    ],
)
async def test_what_cannot_be_a_message_fails_for_good(world: World, bad: MailMessage) -> None:
    """No address that is none and no line break in a header reaches a server; the failure is permanent."""
    with pytest.raises(ActionFailedError) as failure:
        await world.mailer.send(bad, within=scaled(5))
    assert (failure.value.permanent, list(world.taken())) == (True, [])
