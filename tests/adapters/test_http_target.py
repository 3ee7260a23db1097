"""From a URL to an origin and a request line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from app.adapters.http_target import Origin, encode_request, parse_url
from app.domain.errors import ActionFailedError
from app.ports import HttpRequest


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("http://a.example", Origin("http", "a.example", 80), "/"),
        ("https://a.example:8443/x/y?z=1&w=%20", Origin("https", "a.example", 8443), "/x/y?z=1&w=%20"),
        ("http://a.example?x=1", Origin("http", "a.example", 80), "/?x=1"),
        ("http://A.Example/É ?q=ü", Origin("http", "a.example", 80), "/%C3%89%20?q=%C3%BC"),
        ("http://bücher.example/", Origin("http", "xn--bcher-kva.example", 80), "/"),
        ("http://[::1]:8080/a", Origin("http", "::1", 8080), "/a"),
        ("http://a.example/a/../b#top", Origin("http", "a.example", 80), "/b"),
    ],
)
def test_urls_are_taken_apart_and_quoted(url: str, origin: Origin, target: str) -> None:
    """Host in ASCII, port by scheme, path and query quoted, no fragment."""
    assert parse_url(url) == (origin, target)


@given(
    st.from_regex(r"https?://[a-z0-9.-]{1,12}(:[0-9]{1,5})?(/[ -~]{0,12}){0,3}", fullmatch=True),
)
def test_the_short_way_agrees_with_the_long_one(url: str) -> None:
    """Whichever way a URL is taken apart, yarl would say the same, or it is refused; a target holds no blank."""
    try:
        origin, target = parse_url(url)
    except ActionFailedError as error:
        assert error.permanent  # noqa: PT017 - a refusal is one of the two outcomes
        return
    parsed = URL(url)
    assert (origin.scheme, origin.host, origin.port) == (parsed.scheme, parsed.raw_host, parsed.port)
    assert target == (parsed.raw_path_qs or "/")
    assert not any(character.isspace() for character in target)


def test_the_bytes_of_a_request() -> None:
    """Request line, Host with the port where it is not the scheme's, headers, length, body."""
    origin, target = parse_url("http://a.example:81/x")
    encoded = encode_request(HttpRequest("PUT", "", {"X-A": "é"}, b"body"), origin, target, "User-Agent: t\r\n")
    assert encoded == (
        "PUT /x HTTP/1.1\r\nHost: a.example:81\r\nX-A: é\r\nContent-Length: 4\r\nUser-Agent: t\r\n\r\nbody".encode()
    )
    empty = encode_request(HttpRequest("POST", ""), Origin("https", "::1", 443), "/", "")
    assert empty == b"POST / HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 0\r\n\r\n"
