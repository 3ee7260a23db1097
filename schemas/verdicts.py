"""How much of a slip verdicts may take."""

from collections.abc import Sequence
from typing import Any, Final

from schemas.base import encode, stored_size

MAX_VERDICTS_BYTES: Final = 128 * 1024
_SURELY_FIT: Final = 16
_SHOWN_CHARS: Final = 100


def bounded_verdicts(verdicts: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Return verdicts themselves if they have at most 128 KiB, else without the values they name, and shortened."""
    if len(verdicts) <= _SURELY_FIT or stored_size(encode(list(verdicts))) <= MAX_VERDICTS_BYTES:
        return verdicts
    return [_cut(verdict) for verdict in verdicts]


def _cut(verdict: dict[str, Any]) -> dict[str, Any]:
    shorter = {name: text[:_SHOWN_CHARS] if isinstance(text, str) else text for name, text in verdict.items()}
    return {**shorter, "expected": {"cut": True}, "actual": {"cut": True}}
