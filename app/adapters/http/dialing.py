"""Connections to hosts, each to an address that was looked at when it was connected to."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from aiohappyeyeballs import pop_addr_infos_interleave, start_connection

from app.adapters.http.address_guard import AddressInfo
from app.adapters.http.connection import Connection
from app.adapters.http.names import Names
from app.adapters.http.wire import Origin

# After so long without an answer from a host's first address the next one is tried beside it (RFC 8305, 5).
NEXT_ADDRESS_AFTER_S: Final = 0.25


class NotConnectedError(OSError):
    """There is no connection, so certainly nothing was sent.

    Attributes:
        origin: Where to.
        cause: Why.
        mistaken: The name leads nowhere, or the certificate is another's: a mistake in the URL, no load on a server.
    """

    def __init__(self, origin: Origin, cause: OSError, *, mistaken: bool = False) -> None:
        super().__init__(str(cause))
        self.origin = origin
        self.cause = cause
        self.mistaken = mistaken


@lru_cache(maxsize=1)
def system_trust() -> ssl.SSLContext:
    """Return what trusts whom the system trusts; to be called in a thread, since it reads hundreds of certificates."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Dialer:
    """Connects.

    Args:
        names: Finds the addresses of hosts.
        make_socket: Makes the socket for an address, or refuses to.
        trust: Judges the certificates of servers.
    """

    def __init__(
        self, names: Names, make_socket: Callable[[AddressInfo], socket.socket], trust: ssl.SSLContext
    ) -> None:
        self._names = names
        self._make_socket = make_socket
        self._trust = trust

    async def connect(self, origin: Origin) -> Connection:
        """Connect to the first of a host's addresses that answers; what it has to prove is the host's name.

        Raises:
            NotConnectedError: None does.
            ValueError: The host is none.
        """
        try:
            addresses = await self._names.addresses(origin.host, origin.port)
        except OSError as error:
            raise NotConnectedError(origin, error, mistaken=True) from error
        infos = [_info(address, origin.port) for address in addresses]
        failure = NotConnectedError(origin, OSError("no address"), mistaken=True)
        while infos:
            try:
                return await self._connect_to(origin, infos)
            except ssl.SSLError as error:
                failure = NotConnectedError(origin, error, mistaken=True)
            except OSError as error:
                failure = NotConnectedError(origin, error)
            pop_addr_infos_interleave(infos, 1)
        raise failure from failure.cause

    async def _connect_to(self, origin: Origin, infos: list[AddressInfo]) -> Connection:
        connected = await start_connection(
            infos,
            happy_eyeballs_delay=NEXT_ADDRESS_AFTER_S,
            interleave=1,
            loop=asyncio.get_running_loop(),
            socket_factory=self._make_socket,
        )
        secured = origin.scheme == "https"
        _, connection = await asyncio.get_running_loop().create_connection(
            Connection,
            sock=connected,
            ssl=self._trust if secured else None,
            server_hostname=origin.host.rstrip(".") if secured else None,
        )
        return connection


def _info(address: str, port: int) -> AddressInfo:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)
