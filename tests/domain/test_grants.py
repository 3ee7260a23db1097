"""Grants: who may use what an administrator set up, and where it may go."""

from typing import Final
from uuid import UUID

import pytest

from app.domain.grants import ALL, EVERYBODY, NOBODY, Grant, Use, grant_errors, refused_host
from app.domain.hosts import host_problem, may_go_to

OWNER: Final = UUID(int=1)
WORKFLOW: Final = UUID(int=2)
OTHER: Final = UUID(int=3)
USE: Final = Use(OWNER, WORKFLOW)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://api.example.com/x", ["api.example.com"]),
        ("https://API.Example.COM./x", ["api.example.com"]),
        ("https://api.example.com/x", ["Api.Example.com."]),
        ("http://api.example.com/x", ["api.example.com"]),
        ("https://a.b.example.com", ["*.example.com"]),
        ("https://xn--bcher-kva.example/", ["XN--bcher-kva.example"]),
        ("https://api.example.com:8443/", ["api.example.com:8443"]),
        ("https://api.example.com:9/", ["api.example.com:*"]),
        ("http://[::1]:8443/", ["[0:0::1]:8443"]),
        ("http://127.0.0.1:81/", ["127.0.0.1:*"]),
        ("https://else.example/", ["api.example.com", "*"]),
    ],
)
def test_a_listed_host_is_reached_in_every_spelling(url: str, hosts: list[str]) -> None:
    """Capitals, a dot at the end, punycode; below a star, under a named port."""
    assert [host_problem(host) for host in hosts if host != ALL] == [None for host in hosts if host != ALL]
    assert may_go_to(url, hosts)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.example.com.evil.example/", "api.example.com"),
        ("https://api.example.com@evil.example/", "api.example.com"),
        ("https://evil.example/#@api.example.com", "api.example.com"),
        ("https://evil.example\\@api.example.com/", "evil.example"),
        ("https://api.example.com/\\@evil.example", "api.example.com"),
        ("https://evil.example?.example.com", "*.example.com"),
        ("https://example.com/", "*.example.com"),
        ("https://evilexample.com/", "*.example.com"),
        ("https://api.example.com:8443/", "api.example.com"),
        ("https://api.example.com/", "api.example.com:8443"),
        ("https://\u0430pi.example.com/", "api.example.com"),
        ("http://2130706433/", "127.0.0.1"),
        ("https://b\u00fccher.example/", "xn--bcher-kva.example"),
        ("https://api.example.com%2eevil.example/", "*.evil.example"),
        ("https://user@api.example.com/", "api.example.com"),
        ("no url at all", "api.example.com"),
        ("https://", "api.example.com"),
        ("https://api.example.com:99999/", "api.example.com"),
    ],
)
def test_another_host_is_not_reached(url: str, host: str) -> None:
    """However much it looks like the one that is listed."""
    assert not may_go_to(url, [host])


@pytest.mark.parametrize(
    "written",
    ["", "*.", "*.com",
     "https://a.example", "a.example/x", "u@a.example", "a.*.example", "a.example:0", "a.example:70000",
     "*.127.0.0.1", "bücher.example", "a b.example", "a..example", "-a.example", "[::1", "*evil.example"],
)  # fmt: skip
def test_what_is_no_host_is_refused(written: str) -> None:
    """By its position in the list."""
    assert [error.path for error in grant_errors(Grant(hosts=("*", written)))] == ["hosts[1]"]


def test_each_list_must_let_a_use_through() -> None:
    """An empty one lets nothing through."""
    assert Grant((str(OWNER),), (ALL,)).lets(USE)
    assert Grant((ALL,), (str(WORKFLOW),)).lets(USE)
    assert not Grant((str(OWNER),), (str(OTHER),)).lets(USE)
    assert not Grant((str(OTHER),), (ALL,)).lets(USE)
    assert not Grant((str(OWNER),), ()).lets(USE)
    assert not NOBODY.lets(USE)
    assert EVERYBODY.lets(USE)


def test_owners_and_workflows_are_ids() -> None:
    """Written as they are shown."""
    grant = Grant(owners=(str(OWNER), "bob", str(OWNER).replace("-", "")), workflows=("*", "x"))
    assert [error.path for error in grant_errors(grant)] == ["owners[1]", "owners[2]", "workflows[1]"]


def test_the_first_secret_that_may_not_go_there_is_named() -> None:
    """Every one must be allowed."""
    hosts = {"B": ("b.example",), "A": ("*.example.com", "b.example")}
    assert refused_host("https://b.example/", hosts) is None
    assert refused_host("https://x.example.com/", hosts) == "B"
    assert refused_host("https://evil.example/", hosts) == "A"
