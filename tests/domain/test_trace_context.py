"""W3C Trace Context as the specification has it: what is one, what of a later version is taken, what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.trace_context import TraceContext, read_traceparent, read_tracestate

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (PARENT, PARENT),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        (f"00-{TRACE}-{SPAN}-03", f"00-{TRACE}-{SPAN}-03"),
        (f"01-{TRACE}-{SPAN}-ff", PARENT),
        (f"cc-{TRACE}-{SPAN}-09-more", PARENT),
        (f"cc-{TRACE}-{SPAN}-08-", f"00-{TRACE}-{SPAN}-00"),
    ],
)
def test_a_traceparent_is_read_as_version_00(said: str, read: str) -> None:
    """Of a later version the ids and whether it is sampled; what it may add is left out."""
    assert read_traceparent(said) == read


@pytest.mark.parametrize(
    "said",
    [
        "",
        "x",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f" {PARENT}",
        f"{PARENT}\n",
        PARENT * 2,
    ],
)
def test_what_is_no_traceparent_is_none(said: str) -> None:
    """Ids of zeros, capitals, version ff, and more than version 00 has."""
    assert read_traceparent(said) is None


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("", ""),
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        ("a=1 ,\tb=2,, ", "a=1,b=2"),
        ("fw529a3039@dt=FfAAb", "fw529a3039@dt=FfAAb"),
        (",".join(f"k{n}=v" for n in range(33)), None),
        ("a=1,a=2", None),
        ("a", None),
        ("A=1", None),
        ("a=", None),
        ("a=\u00e9", None),
        ("a=" + "x" * 511, None),
    ],
)
def test_a_tracestate_is_its_members(said: str, read: str | None) -> None:
    """At most 32, each a key and a value, none twice, in 512 characters."""
    assert read_tracestate(said) == read


@given(st.text(max_size=80))
def test_any_text_is_read_or_is_none(text: str) -> None:
    """Nothing raises, and what is taken is taken again."""
    parent, state = read_traceparent(text), read_tracestate(text)
    assert parent is None or read_traceparent(parent) == parent
    assert state is None or read_tracestate(state) == state


def test_what_is_handed_on_are_two_headers() -> None:
    """An empty state is left out."""
    assert TraceContext(PARENT, "a=1").headers == {"traceparent": PARENT, "tracestate": "a=1"}
    assert TraceContext(PARENT).headers == {"traceparent": PARENT}
