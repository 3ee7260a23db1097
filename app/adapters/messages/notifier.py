"""Notifications to channels by Apprise, which knows some hundred services by their URLs.

Apprise works in the caller's thread, so each notification is sent by one of a few threads of our own, for at most its
attempt's time. A thread that a service holds up longer cannot be stopped; the timeouts of its sockets end it soon.
What Apprise logs may name addresses, and its debug output holds credentials: nothing of it leaves this module.
"""

import asyncio
import logging
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final

from app.adapters.http.address_guard import OUT_OF_BOUNDS, MayReach
from app.adapters.messages.guarded_threads import bounded
from app.domain.errors import ActionFailedError, FieldError, InvalidError
from app.domain.grants import Use
from app.domain.retry import RETRYABLE_STATUSES
from app.ports import Secrets

THREADS: Final = 20

# Services that talk to this machine's own desktop, log or devices, or take files of it for keys.
_LOCAL_SCHEMAS: Final = frozenset(
    {"dbus", "kde", "qt", "glib", "gio", "gnome", "macosx", "windows", "syslog", "blink1", "vapid"}
)
_LOCAL: Final = "is for what is on this machine, which channels may not reach"

# How every service of Apprise reports an HTTP status: "Failed to send X notification: ..., error=404."
_STATUS: Final = re.compile(r"\berror=([1-5][0-9]{2})\b")


@dataclass(frozen=True, slots=True)
class _Sent:
    """How a notification went; ``status``: of the HTTP answer, where Apprise told one."""

    taken: bool
    status: int | None = None
    known_url: bool = True
    refused: str | None = None


class AppriseUrls:
    """Implements ``app.ports.ChannelUrls``.

    Args:
        may_reach: Tells which addresses channels may lead to.
    """

    def __init__(self, may_reach: MayReach) -> None:
        self._may_reach = may_reach

    async def service_of(self, url: str) -> str | None:
        """Return what Apprise calls the service; the first call loads Apprise, so it is made by a thread.

        Raises:
            InvalidError: It leads where channels may not, or to this machine itself.
        """
        return await asyncio.to_thread(_service_of, url, self._may_reach)


@contextmanager
def open_notifier(urls: Secrets, may_reach: MayReach) -> Iterator["AppriseNotifier"]:
    """Open the process's notifier; threads that a service still holds up at the end are left to themselves.

    Args:
        urls: The channels' URLs, by their names.
        may_reach: Tells which addresses channels may lead to; judged as each connection is made.
    """
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="apprise")
    try:
        yield AppriseNotifier(urls, threads, may_reach)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


class AppriseSender:
    """Sends to URLs of Apprise.

    Args:
        threads: The threads that send.
        may_reach: Tells which addresses they may lead to.
    """

    def __init__(self, threads: ThreadPoolExecutor, may_reach: MayReach) -> None:
        self._threads = threads
        self._may_reach = may_reach

    async def send(
        self, channel: str, url: str, title: str, body: str, *, within: float, until: float | None = None
    ) -> None:
        """Send once, within ``within`` seconds; ``channel`` is what errors call it.

        Where part of the time is over already, ``until`` is when all of it is, by the loop's clock.

        Raises:
            ActionFailedError: As ``AppriseNotifier.notify``.
        """
        work = self._threads.submit(_send, url, title, body, within, self._may_reach)
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + within if until is None else until):
                sent = await asyncio.wrap_future(work)
        except TimeoutError:
            began = not work.cancelled()
            raise ActionFailedError(f"channel {channel}: no end within {within:g} s", effect_unknown=began) from None
        _check(channel, sent)


class AppriseNotifier:
    """Implements ``app.ports.Notifier``.

    Args:
        urls: The channels' URLs, by their names.
        threads: The threads that send.
        may_reach: Tells which addresses channels may lead to.
    """

    def __init__(self, urls: Secrets, threads: ThreadPoolExecutor, may_reach: MayReach) -> None:
        self._urls = urls
        self._sender = AppriseSender(threads, may_reach)

    async def notify(self, channel: str, title: str, body: str, *, use: Use, within: float) -> None:
        """Send once, within ``within`` seconds.

        Raises:
            ActionFailedError: There is no such channel, it is not for that workflow, or it refused (permanent); it
                failed, or did not end in time (``effect_unknown`` where it may have been sent all the same).
        """
        until = asyncio.get_running_loop().time() + within
        try:
            async with asyncio.timeout_at(until):
                url = await self._url(channel, use)
        except TimeoutError:
            raise ActionFailedError(f"channel {channel}: no end within {within:g} s") from None
        await self._sender.send(channel, url, title, body, within=within, until=until)

    async def _url(self, channel: str, use: Use) -> str:
        found = await self._urls.get([channel])
        if channel not in found.values:
            raise ActionFailedError(found.problems[channel], permanent=True)
        if not found.grants[channel].lets(use):
            refused = f"channel {channel} is not for this workflow or its owner; an administrator can grant it"
            raise ActionFailedError(refused, permanent=True)
        return found.values[channel]


def _check(channel: str, sent: _Sent) -> None:
    if sent.taken:
        return
    if not sent.known_url:
        raise ActionFailedError(f"channel {channel}: its URL is none that Apprise takes (any more)", permanent=True)
    if sent.refused is not None:
        raise ActionFailedError(f"channel {channel} {sent.refused}", permanent=True)
    status = sent.status
    if status is None:
        # No connection, no answer, a refusal in the answer's body: Apprise does not say which.
        raise ActionFailedError(f"channel {channel}: the service did not take it", effect_unknown=True)
    refused = status < 500  # noqa: PLR2004 - the status classes of HTTP are best read as numbers
    raise ActionFailedError(
        f"channel {channel}: the service answered {status}",
        permanent=refused and status not in RETRYABLE_STATUSES,
        effect_unknown=not refused,
        answered=refused and status != HTTPStatus.TOO_MANY_REQUESTS,
    )


def _send(url: str, title: str, body: str, within: float, may_reach: MayReach) -> _Sent:
    """Send in the caller's thread."""
    apprise = _load()
    with bounded(may_reach) as refused:
        sent = _deliver(apprise, url, title, body, within)
    return replace(sent, refused=refused[0]) if refused and not sent.taken else sent


def _deliver(apprise: Any, url: str, title: str, body: str, within: float) -> _Sent:
    service = _service(apprise, url)
    if service is None:
        return _Sent(taken=False, known_url=False)
    if _is_local(service):
        return _Sent(taken=False, refused=_LOCAL)
    service.retry = 0  # trying again is the executor's
    service.socket_connect_timeout = min(service.socket_connect_timeout, within)
    service.socket_read_timeout = min(service.socket_read_timeout, within)
    sender = apprise.Apprise(service, asset=service.asset)
    result = sender.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT, log_level=logging.WARNING)
    if result:
        return _Sent(taken=True)
    statuses = (_STATUS.search(entry.message) for entry in result.logs())
    return _Sent(taken=False, status=next((int(match[1]) for match in statuses if match), None))


def _service_of(url: str, may_reach: MayReach) -> str | None:
    apprise = _load()
    with bounded(may_reach) as refused:
        service = _service(apprise, url)
    if service is not None and _is_local(service):
        refused = [_LOCAL]
    if service is not None and not all(map(may_reach, _addresses(service))):
        refused = [OUT_OF_BOUNDS]
    if refused:
        raise InvalidError([FieldError("url", refused[0])])
    return None if service is None else str(service.service_name)


def _is_local(service: Any) -> bool:
    schemas: set[str] = set()
    for named in (service.protocol, service.secure_protocol):
        schemas.update([named] if isinstance(named, str) else named or ())
    return not schemas.isdisjoint(_LOCAL_SCHEMAS)


def _addresses(service: Any) -> list[str]:
    """Return the addresses that a URL's own host has now, where it names one; later ones are judged when it is used."""
    if not any("{host}" in template for template in service.templates):
        return []
    hosts = {getattr(service, name, None) for name in ("host", "smtp_host")}
    return [address for host in hosts if host for address in _resolved(str(host))]


def _resolved(host: str) -> list[str]:
    try:
        return [str(info[4][0]) for info in socket.getaddrinfo(host.strip("[]"), None)]
    except (OSError, UnicodeError):
        return []


def _service(apprise: Any, url: str) -> Any:
    # Nothing is kept on disk, nothing waits in threads that are not ours, templates are rendered already.
    asset = apprise.AppriseAsset(
        async_mode=False,
        service_timeout=0,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        allow_templates=False,
    )
    return apprise.Apprise.instantiate(url, asset=asset)


def _load() -> Any:
    """Return Apprise, imported at the first use: it takes a tenth of a second and twenty megabytes."""
    import apprise  # noqa: PLC0415 - see above

    logging.getLogger("apprise").propagate = False
    for name in ("apprise", "urllib3"):  # their debug output has whole URLs
        logging.getLogger(name).setLevel(logging.WARNING)
    return apprise
