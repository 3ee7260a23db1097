"""Secrets that this process has read, kept out of every line that it logs."""

from typing import Final

from app.domain.redaction import NOTHING, Redactor


class Blotter:
    """Secrets that this process has read, and what keeps them out of its log."""

    def __init__(self) -> None:
        self._values: frozenset[str] = frozenset()
        self._redactor: Redactor | None = NOTHING

    def add(self, value: str) -> None:
        """Keep a secret out of every line from now on."""
        if value not in self._values:
            self._values |= {value}
            self._redactor = None

    def clean(self, text: str) -> str:
        """Return a text without them."""
        if self._redactor is None:  # made once for many that are read at a time
            self._redactor = Redactor(self._values)
        return self._redactor.text(text)


BLOTTED: Final = Blotter()
