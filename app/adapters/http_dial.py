"""Opens connections to origins that users name: resolves, guards the addresses, connects, does TLS."""

import asyncio
import socket
import ssl

import aiohappyeyeballs

from app.adapters.address_guard import guarded_socket
from app.adapters.http_target import Origin
from app.adapters.http_wire import Connection

HAPPY_EYEBALLS_SECONDS = 0.25


class Dialer:
    """Opens connections.

    Args:
        allow_private: Let them reach private and loopback addresses.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._make_socket = guarded_socket(allow_private)
        self._tls = ssl.create_default_context()

    async def connect(self, origin: Origin) -> Connection:
        """Open a connection.

        Raises:
            RefusedAddressError: The name leads to no address that may be reached.
            OSError: It does not resolve, nobody listens, or TLS fails.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        connected = await aiohappyeyeballs.start_connection(
            found, happy_eyeballs_delay=HAPPY_EYEBALLS_SECONDS, socket_factory=self._make_socket
        )
        secure = origin.scheme == "https"
        try:
            _, connection = await loop.create_connection(
                Connection,
                sock=connected,
                ssl=self._tls if secure else None,
                server_hostname=origin.host if secure else None,
            )
        except BaseException:
            connected.close()
            raise
        return connection
