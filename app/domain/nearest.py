"""The name that was meant: the nearest of those there are to one that there is not."""

import difflib
from collections.abc import Iterable
from itertools import islice
from typing import Final

_NEAR: Final = 0.6
_MAX_CHARS: Final = 100
# Comparing costs; where names come from outside, there may be any number of them.
_MAX_NAMES: Final = 200


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the name that comes nearest, empty where none comes near; capitals do not count."""
    by_small = {one.lower(): one for one in islice(names, _MAX_NAMES)}
    near = difflib.get_close_matches(name[:_MAX_CHARS].lower(), by_small, 1, _NEAR)
    return by_small[near[0]] if near else ""


def meant(name: str, names: Iterable[str]) -> str:
    """Return the question that is put after what is wrong with a name, empty where no name comes near."""
    near = nearest(name, names)
    return f": is {near} meant?" if near else ""
