"""How far the bench is, on stderr."""

import sys
import time

_STARTED = time.monotonic()


def say(text: str, *, passing: bool = False) -> None:
    """Say how far it is; ``passing`` lines overwrite each other on a terminal and are left out elsewhere."""
    line = f"[{time.monotonic() - _STARTED:6.1f} s] {text}"
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[2K{line}" + ("" if passing else "\n"))
    elif not passing:
        sys.stderr.write(line + "\n")
    sys.stderr.flush()
