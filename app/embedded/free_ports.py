"""Pick TCP ports of 127.0.0.1 that nothing listens on."""

import socket

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Return whether ``port`` of 127.0.0.1 can be listened on now (a port in TIME_WAIT can)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def pick_ports(count: int) -> list[int]:
    """Return ``count`` different ports that are free now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def keep_or_pick(wanted: int | None) -> int:
    """Return ``wanted`` while it is free, so that a restart keeps its port; else a new free one."""
    if wanted is not None and is_free(wanted):
        return wanted
    return pick_ports(1)[0]
