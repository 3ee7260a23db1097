"""Channels of alerts: by their URL or by their name, and no URL is seen outside of them."""

import time

import pytest

from app.adapters.messages.alert_channels import open_alert_channels
from app.adapters.secrets.cipher import FernetCipher
from app.domain.errors import ActionFailedError
from app.embedded.webhook_receiver import WebhookReceiver
from app.services.access.secret_cache import SecretCache
from tests.adapters.messages.test_notifier_contract import TOKEN, Channels, channel_url
from tests.support.fake_secrets import KEY


def named(channels: Channels) -> SecretCache:
    """What opens the named channels' URLs."""
    return SecretCache(channels, FernetCipher(KEY), time.monotonic, noun="channel")


async def test_both_kinds_arrive(receiver: WebhookReceiver) -> None:
    """A URL's channel is called by its service and a digest; a named one needs no grant but the setting."""
    url = channel_url(receiver)
    stored, seen = Channels(), list[str]()
    stored.urls["ops"] = url.replace("/T0P", "/named/T0P")
    with open_alert_channels([url, "ops"], named(stored), seen.append) as channels:
        for channel in channels:
            await channel.send("Headrace: 1 firing", "FIRING warning: x")
        names = [channel.name for channel in channels]
    assert [delivery.path for delivery in receiver.deliveries] == [f"/{TOKEN}", f"/named/{TOKEN}"]
    assert b"Headrace: 1 firing" in receiver.deliveries[0].body
    assert names[0].startswith("json:")
    assert names[1] == "ops"
    assert TOKEN not in names[0]
    assert seen == [url]


async def test_what_is_not_taken_says_why_without_the_url(receiver: WebhookReceiver) -> None:
    """A refusal, a name that nobody keeps, a URL that is none."""
    receiver.behaviour.status = 500
    with open_alert_channels(
        [channel_url(receiver), "nobody", f"nosuch://{TOKEN}"], named(Channels()), lambda _: None
    ) as channels:
        for channel, reason in zip(channels, ("answered 500", "nobody", "none that Apprise takes"), strict=True):
            with pytest.raises(ActionFailedError, match=reason) as caught:
                await channel.send("title", "body")
            assert TOKEN not in str(caught.value)
