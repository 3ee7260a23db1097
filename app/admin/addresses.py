"""Which address a request came from: the connection's, or what proxies that are trusted say."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

_SITE_BITS = 64


def client_address(request: web.Request, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """Return the client's address, one for a whole IPv6 network of 64 bits.

    X-Forwarded-For is read from its end, as far as each hop is a trusted proxy: any client may write what is before.
    """
    peer = _address(request.remote or "")
    hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",") if trusted else []
    while peer is not None and hops and any(peer in network for network in trusted):
        named = _address(hops.pop().strip())
        if named is None:
            break
        peer = named
    return _site(peer) if peer is not None else (request.remote or "")


def peer_site(peer: str) -> str:
    """Return what counts as one address at the other end of a connection: of IPv6 a whole network of 64 bits."""
    found = _address(peer)
    return peer if found is None else _site(found)


def is_trusted(peer: str, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Tell whether the other end of a connection is a trusted proxy."""
    found = _address(peer)
    return found is not None and any(found in network for network in trusted)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address to listen on; of names only ``localhost`` is one."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _site(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, _SITE_BITS), strict=False))
