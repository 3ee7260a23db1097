"""The addresses of hosts: what a name leads to now, asked of the system at most once in ten seconds."""

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

KNOWN_SECONDS: Final = 10.0
MOST_KNOWN: Final = 1024
_OCTETS: Final = 4
_MAX_OCTET: Final = 255
# A name server that does not answer holds these, and nothing else that the process looks up.
_THREADS: Final = ThreadPoolExecutor(16, thread_name_prefix="names")


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """Return a name's addresses, as the system knows them.

    Raises:
        OSError: It has none.
        UnicodeError: It is no name.
    """

    def look() -> Sequence[str]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        return [str(one[4][0]) for one in found]

    return await asyncio.get_running_loop().run_in_executor(_THREADS, look)


class Names:
    """What names lead to, for a while; who asks for one that is being looked up waits for that.

    Args:
        resolve: Finds the addresses of a name.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._known: dict[str, tuple[float, deque[str]]] = {}
        self._asked: dict[str, asyncio.Task[deque[str]]] = {}

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return a host's addresses, another one first each time, so that all of them get some of the work.

        Raises:
            OSError: It has none.
            ValueError: It is no host, or an address that is spelt as none is today.
        """
        if ":" in host or host.replace(".", "").isdigit():
            return [_numeric(host)]
        until, found = self._known.get(host, (0.0, None))
        if found is None or until <= asyncio.get_running_loop().time():
            found = await self._look_up(host, port)
        found.rotate(-1)
        return list(found)

    def close(self) -> None:
        """Ask no longer."""
        for task in self._asked.values():
            task.cancel()

    async def _look_up(self, host: str, port: int) -> deque[str]:
        task = self._asked.get(host)
        if task is None:
            task = self._asked[host] = asyncio.create_task(self._ask(host, port))
            task.add_done_callback(_seen)
        return await asyncio.shield(task)  # whoever gives up waiting does not end it for the others

    async def _ask(self, host: str, port: int) -> deque[str]:
        try:
            found = deque(await self._resolve(host, port))
        finally:
            del self._asked[host]
        self._known.pop(host, None)
        if len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]
        found.rotate(1)
        self._known[host] = (asyncio.get_running_loop().time() + KNOWN_SECONDS, found)
        return found


def _seen(task: asyncio.Task[deque[str]]) -> None:
    """Take note of an error that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


def _numeric(host: str) -> str:
    """Refuse the old spellings of IPv4 addresses, such as 2130706433 and 127.1, which the system would take."""
    octets = host.split(".")
    if ":" not in host and not (len(octets) == _OCTETS and all(map(_is_octet, octets))):
        raise ValueError("is no canonical IPv4 address")
    return host


def _is_octet(text: str) -> bool:
    return text.isascii() and text.isdigit() and str(int(text)) == text and int(text) <= _MAX_OCTET
