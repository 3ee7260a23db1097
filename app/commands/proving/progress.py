"""What a run says while it goes on: one line that is kept current on a terminal, else a line now and then."""

import sys
import time
from typing import Final

import click

_EVERY_S: Final = {True: 0.5, False: 15.0}


class Progress:
    """Says on standard error how far it is; what must not be missed has a line of its own."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._shown = 0.0
        self._pending = False

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self.close()
        click.echo(text, err=True)

    def show(self, text: str) -> None:
        """Bring the current line up to date."""
        now = time.monotonic()
        if now - self._shown < _EVERY_S[self._live]:
            return
        self._shown = now
        click.echo(f"\r\x1b[K{text}" if self._live else text, nl=not self._live, err=True)
        self._pending = self._live

    def close(self) -> None:
        """End the current line."""
        if self._pending:
            click.echo(err=True)
        self._pending = False


def clock(seconds: float) -> str:
    """Return a time as ``1:05``."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
