"""What went out is read from the stand-ins themselves, and it is said where they know nothing, or do not answer."""

import aiohttp
import pytest

from app.adapters.http.client import open_http_client
from app.adapters.http.stand_ins import StandIns, StandInUrls
from app.domain.errors import NotFoundError, UnreachableError
from app.embedded.mail import Mailbox
from app.embedded.message_providers import MessageProviders
from app.embedded.webhook_receiver import WebhookReceiver


async def test_one_that_is_not_kept_is_not_there_and_one_that_has_gone_does_not_answer(
    mailbox: Mailbox, providers: MessageProviders, receiver: WebhookReceiver
) -> None:
    """Newest first, a page at a time; a number that no message has, and a stand-in that was stopped."""
    async with aiohttp.ClientSession() as client:
        for number in range(3):
            sent = await client.post(
                f"{receiver.url}/{number}", headers={"Idempotency-Key": f"{number}"}, data=b"x" * 500
            )
            assert sent.status == 200
    async with open_http_client(allow_private=True) as http:
        stand_ins = StandIns(http, StandInUrls(mailbox.url, providers.url, receiver.url))
        newest = await stand_ins.newest(None, None, 2)
        assert [(one.kind, one.to, len(one.text)) for one in newest] == [("webhook", "/2", 300), ("webhook", "/1", 300)]
        older = await stand_ins.newest("webhook", newest[-1].at.timestamp(), 2)
        assert [one.to for one in older] == ["/0"]
        assert len((await stand_ins.get("webhook", 1)).text) == 500
        assert not await stand_ins.newest("sms", None, 2)
        with pytest.raises(NotFoundError):
            await stand_ins.get("webhook", 4)
        await receiver.stop()
        with pytest.raises(UnreachableError):
            await stand_ins.newest(None, None, 2)
