"""Where administrators are told of alerts: URLs of Apprise, or channels by their names, as settings list them."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

from app.adapters.messages.notifier import AppriseSender
from app.domain.errors import ActionFailedError
from app.ports import Secrets
from app.ports.alerts import AlertChannel

_WITHIN_S: Final = 10.0
_THREADS: Final = 4


class _Url:
    """A channel by its URL, which stands in no log and no row."""

    def __init__(self, url: str, sender: AppriseSender) -> None:
        digest = hashlib.sha256(url.encode()).hexdigest()[:8]
        self._url = url
        self._sender = sender
        self.name = f"{url.partition('://')[0].lower()}:{digest}"

    async def send(self, title: str, body: str) -> None:
        await self._sender.send(self.name, self._url, title, body, within=_WITHIN_S)


class _Named:
    """A channel that administrators keep by the API; that the settings name it is its grant."""

    def __init__(self, name: str, urls: Secrets, sender: AppriseSender) -> None:
        self._urls = urls
        self._sender = sender
        self.name = name

    async def send(self, title: str, body: str) -> None:
        found = await self._urls.get([self.name])
        if self.name not in found.values:
            raise ActionFailedError(found.problems[self.name])
        await self._sender.send(self.name, found.values[self.name], title, body, within=_WITHIN_S)


@contextmanager
def open_alert_channels(
    listed: Sequence[str], urls: Secrets, seen: Callable[[str], None]
) -> Iterator[Sequence[AlertChannel]]:
    """Open the channels that are listed; threads that a service still holds up at the end are left to themselves.

    Args:
        listed: URLs, or names of channels.
        urls: The named channels' URLs.
        seen: Told every URL, so that logs can blot it out.
    """
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="alerts")
    # Whoever sets the environment may reach what they like.
    sender = AppriseSender(threads, lambda _: True)
    for one in listed:
        if "://" in one:
            seen(one)
    try:
        yield [_Url(one, sender) if "://" in one else _Named(one, urls, sender) for one in listed]
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
