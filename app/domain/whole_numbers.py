"""JSON has numbers and no integers: ``5.0`` is the integer 5 to whoever asks for one (JSON Schema, RFC 8259)."""

from typing import Any, Final

# Past it a float may stand for another integer than the one that was written.
_EXACT: Final = 2**53


def whole(value: Any) -> Any:
    """Return the integer that a float is, and whatever else as it is."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT
    return int(value) if is_whole else value
