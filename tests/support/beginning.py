"""Begins on records, as the loops of agents do."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

M = TypeVar("M")
M_contra = TypeVar("M_contra", contravariant=True)


class Begins(Protocol[M_contra]):
    """Says of a record whether it may be worked on."""

    def begin(self, message: M_contra, /) -> bool:
        """Begin on it."""


def begun(ledger: Begins[M], messages: Sequence[M]) -> list[M]:
    """Begin on records; return, in order, those that may be worked on."""
    return [message for message in messages if ledger.begin(message)]
