"""A text shows something, or there is nothing to find and to click on."""

import pytest

from app.domain.user_fields import name_problem
from app.domain.visible import is_visible

NOTHING = (
    "", " ", "\t\n", "\u00a0", "\u2003", "\u3000", "\u2028", "\u00ad", "\u200b", "\u202e", "\u200b\u202e \u2066",
    "\ufeff", "\U000e0041", "\u115f", "\u3164", "\uffa0", "\u2800", "\u034f", "\ufe0f", "\u0301", "\x00", "\ud800",
)  # fmt: skip
SOMETHING = ("a", "·", "\u200bx", "名", "e\u0301", "❤\ufe0f", "👩\u200d🚀", "\U0001fae8", "\ue000", "\u202eabc", "م")


@pytest.mark.parametrize("text", NOTHING, ids=ascii)
def test_what_leaves_no_mark_is_not_visible(text: str) -> None:
    """Spaces of all kinds, marks of direction and width, fillers, and marks without what they stand on."""
    assert not is_visible(text)
    assert name_problem(text)


@pytest.mark.parametrize("text", SOMETHING, ids=ascii)
def test_one_visible_character_is_enough(text: str) -> None:
    """Of any alphabet, or a picture, whatever is around it."""
    assert is_visible(text)
