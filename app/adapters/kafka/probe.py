"""Ask a Kafka broker whether it serves: one ApiVersions request on a plain socket, in a bounded time."""

import socket
import struct
import time
from contextlib import suppress

_API_VERSIONS = 18
_CORRELATION = 0x4852  # any number: it comes back in the answer
_REQUEST = struct.pack(">ihhih", 10, _API_VERSIONS, 0, _CORRELATION, -1)
_NO_ERROR = 0


def broker_serves(server: str, timeout: float = 3.0) -> bool:
    """Return whether a broker at ``host:port`` answers within ``timeout`` seconds.

    A port that accepts connections is not enough: a broker listens before it serves, and so may something else.
    """
    host, _, port = server.strip().rpartition(":")
    if not host or not port.isdigit():
        return False
    deadline = time.monotonic() + timeout
    with suppress(OSError), socket.create_connection((host.strip("[]"), int(port)), timeout=timeout) as connection:
        connection.sendall(_REQUEST)
        answer = _read(connection, 10, deadline)
        if len(answer) == 10:  # noqa: PLR2004 - length, correlation id, error code
            _, correlation, error = struct.unpack(">iih", answer)
            return bool(correlation == _CORRELATION and error == _NO_ERROR)
    return False


def _read(connection: socket.socket, size: int, deadline: float) -> bytes:
    received = b""
    while len(received) < size:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        part = connection.recv(size - len(received))
        if not part:
            break
        received += part
    return received
