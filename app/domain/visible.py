"""Whether a text shows anything: there are letters and spaces that leave no mark."""

import unicodedata
from typing import Final

# Hangul's fillers and Braille without a dot: letters and signs to Unicode, and nothing to see.
_BLANK: Final = "\u115f\u1160\u3164\uffa0\u2800"
# Separators, controls, marks of direction and of width, and halves of a character.
_UNSEEN: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})


def is_seen(character: str) -> bool:
    """Tell whether a character leaves a mark of its own: accents, joiners and selectors need another for that."""
    category = unicodedata.category(character)
    return not (category.startswith("M") or category in _UNSEEN or character in _BLANK)


def is_visible(text: str) -> bool:
    """Tell whether at least one character can be seen."""
    return any(map(is_seen, text))


def visible_problem(text: str) -> str | None:
    """Say what is wrong with a text that somebody is to see; None: nothing is."""
    return None if is_visible(text) else "must not be blank"
