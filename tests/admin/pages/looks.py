"""A page that is open, looked at as everybody has it: light, dark and on a phone, without loading it again.

All of it by ``make looks``, which says so in ``LOOKS``; other runs look at the light.
"""

import os
from typing import Final, Literal

from tests.support.chromium import DESK, PHONE, Window

_LOOKS: Final[tuple[tuple[str, Literal["light", "dark"], tuple[int, int]], ...]] = (
    ("dark-desk", "dark", DESK),
    ("light-phone", "light", PHONE),
    ("light-desk", "light", DESK),
)


async def looked_at_by_all(window: Window, name: str) -> None:
    """Keep a screenshot in each look, and let axe look at each; the window ends as it was."""
    for look, scheme, (width, height) in _LOOKS if os.environ.get("LOOKS") == "all" else _LOOKS[-1:]:
        await window.page.emulate_media(color_scheme=scheme)
        await window.page.set_viewport_size({"width": width, "height": height})
        window.look = look
        await window.looked_at(name)
