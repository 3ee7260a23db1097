"""The guard: which addresses a user's request may reach."""

import socket

import pytest

from app.adapters.http.address_guard import RefusedAddressError, guarded_socket, is_public
from app.settings import Settings

INSIDE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104 - an address to refuse, nothing is bound to it
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:7f00:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "3fff::1",
    "2606:4700::5efe:10.0.0.1",
    "2606:4700::200:5efe:169.254.169.254",
]
PUBLIC = ["8.8.8.8", "172.32.0.1", "192.167.255.255", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_refused_in_every_spelling(address: str) -> None:
    """No private, loopback, link-local, metadata, multicast or reserved address gets a socket, however wrapped."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(RefusedAddressError):
        guarded_socket(allow_private=False)((family, socket.SOCK_STREAM, 6, "", (address, 80)))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_get_a_socket(address: str) -> None:
    """The public internet stays reachable, right up to the borders of the private ranges."""
    assert is_public(address)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("10.2.0.1", False),
        ("fd00:1::5", True),
        ("fd00:2::5", False),
        ("127.0.0.1", False),
    ],
)
def test_single_networks_can_be_opened(address: str, allowed: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """``webhook_allow_networks`` opens what it lists, in every spelling, and nothing beside it."""
    networks = Settings(webhook_allow_networks="10.1.0.0/16, fd00:1::/32").allowed_networks
    make = guarded_socket(allow_private=False, allow_networks=networks)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    info = (family, socket.SOCK_STREAM, 6, "", (address, 80))
    if allowed:
        make(info).close()
        return
    with pytest.raises(RefusedAddressError):
        make(info)


def test_the_setting_opens_the_inside() -> None:
    """With ``webhook_allow_private`` a loopback address gets a non-blocking socket."""
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))
    with guarded_socket(allow_private=True)(info) as made:
        assert made.getblocking() is False
