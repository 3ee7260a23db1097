"""Which network addresses a user's request may reach: the ones of the public internet.

Checked on the resolved address at the moment of connecting, so that neither a spelling (decimal, octal, IPv6-mapped)
nor a name whose answer changes between check and use gets through.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from app.settings import Settings

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
MayReach = Callable[[str], bool]
AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]

_NAT64: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_SIX_TO_FOUR: Final = ipaddress.IPv6Network("2002::/16")
_ALSO_INSIDE: Final = (
    ipaddress.IPv4Network("168.63.129.16/32"),  # Azure's host endpoint: public by its number, hands out secrets
    ipaddress.IPv4Network("192.0.0.0/24"),  # IETF protocol assignments; Oracle's metadata is among them
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays into 6to4
    ipaddress.IPv6Network("3fff::/20"),  # documentation (RFC 9637), which Python takes for public
)
OUT_OF_BOUNDS: Final = "leads to a private, loopback, link-local or reserved address"
# An interface identifier that stands for an IPv4 address (ISATAP, RFC 5214, 6.1), without its "global" bit.
_ISATAP: Final = 0x5EFE
_GLOBAL_BIT: Final = 0x0200_0000


class RefusedAddressError(OSError):
    """The address is not one that a user's request may reach."""


def is_public(address: str) -> bool:
    """Tell whether a numeric address belongs to the public internet, also where it is wrapped in another."""
    return _is_public(ipaddress.ip_address(address.partition("%")[0]))


def within_bounds(*, allow_private: bool, allow_networks: Sequence[IPNetwork] = ()) -> MayReach:
    """Return what tells whether a numeric address may be reached."""
    return lambda address: allow_private or is_public(address) or is_within(address, allow_networks)


def bounds_of(settings: Settings) -> MayReach:
    """Return what tells which addresses users' requests and channels may reach."""
    return within_bounds(allow_private=settings.webhook_allow_private, allow_networks=settings.allowed_networks)


def guarded_socket(
    *, allow_private: bool, allow_networks: Sequence[IPNetwork] = ()
) -> Callable[[AddressInfo], socket.socket]:
    """Return a factory of sockets that refuses to make one for an address out of bounds.

    The factory raises ``RefusedAddressError``; its text names no address, since users can read it.
    """
    may_reach = within_bounds(allow_private=allow_private, allow_networks=allow_networks)

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if not may_reach(str(address[0])):
            raise RefusedAddressError(OUT_OF_BOUNDS)
        made = socket.socket(family=family, type=kind, proto=protocol)
        made.setblocking(False)
        return made

    return make


def is_within(address: str, networks: Sequence[IPNetwork]) -> bool:
    """Tell whether a numeric address, or the one that is wrapped in it, belongs to one of some networks."""
    bare = ipaddress.ip_address(address.partition("%")[0])
    inner = _inner(bare) if isinstance(bare, ipaddress.IPv6Address) else None
    return any((inner or bare) in network for network in networks)


def _is_public(address: IPAddress) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return _is_public(inner)
        if address.is_site_local:
            return False
    inside = address.is_multicast or address.is_reserved or any(address in network for network in _ALSO_INSIDE)
    return address.is_global and not inside


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for, if it does."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _SIX_TO_FOUR:
        return address.sixtofour
    if any(address in network for network in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if (int(address) >> 32) & 0xFFFF_FFFF & ~_GLOBAL_BIT == _ISATAP:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
