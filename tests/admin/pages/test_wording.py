"""How addresses, ids and times stand among other words."""

from datetime import UTC, datetime, timedelta

import pytest

from app.admin.pages.wording import ago, breakable, moment


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("t.events.order", "t.<wbr>events.<wbr>order"),
        ("SHOP_TOKEN", "SHOP_<wbr>TOKEN"),
        ("ada@shop.example", "ada@<wbr>shop.<wbr>example"),
        ("0123456789abcdef0123", "0123456789abcdef<wbr>0123"),
        ("c-1", "c-<wbr>1"),
        ("", ""),
        ("a<b>.c", "a&lt;b&gt;.<wbr>c"),
    ],
)
def test_long_words_go_on_in_the_next_line_at_their_parts(text: str, shown: str) -> None:
    """Whatever they hold stays text."""
    assert str(breakable(text)) == shown


def test_a_moment_is_said_in_the_zone_of_who_reads_it() -> None:
    """By the script that finds the element; in UTC until then."""
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    said = '<time datetime="2026-03-01T12:00:00+00:00" data-exact>2026-03-01 12:00:00 UTC</time>'
    assert str(moment(at)) == said


@pytest.mark.parametrize(
    ("apart", "said"), [(-3, "now"), (-6, "in 6 s"), (0, "now"), (3, "3 s ago"), (90, "1 min ago")]
)
def test_what_has_just_happened_is_not_said_to_come(apart: int, said: str) -> None:
    """Clocks differ by some seconds; what comes later is said to come."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert ago(now - timedelta(seconds=apart), now) == said
