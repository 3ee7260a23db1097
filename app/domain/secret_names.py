"""What a secret may be called, and what may be one."""

from __future__ import annotations

import re
from typing import Final

from app.domain.storable import is_storable

SECRETS_ROOT: Final = "secrets"
MIN_VALUE_CHARS: Final = 8
MAX_VALUE_BYTES: Final = 8192

_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def is_secret_name(name: str) -> bool:
    """Tell whether ``name`` is capitals, digits and underscores, beginning with a letter; at most 64 of them."""
    return _NAME.fullmatch(name) is not None


def value_problem(value: str) -> str | None:
    """Return what keeps ``value`` from being a secret; None where nothing does. Never holds the value."""
    if len(value) < MIN_VALUE_CHARS:
        # A shorter one could not be told from ordinary text where it is to be blotted out.
        return f"must have at least {MIN_VALUE_CHARS} characters"
    if not is_storable(value) or len(value.encode()) > MAX_VALUE_BYTES:
        return f"must be text of at most {MAX_VALUE_BYTES} bytes in UTF-8, without a NUL character"
    if value != value.strip():
        return "begins or ends with white space, which is most likely a slip of copy and paste"
    return None
