"""``current``: in an action, the customer and the order as they are when its step runs."""

from typing import Final

CURRENT_ROOT: Final = "current"
CURRENT_NAMES: Final = ("customer", "order")
