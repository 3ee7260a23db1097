"""The ledger of a consumer: where a record stands between fetch and commit."""

from typing import Protocol, TypeVar

from schemas.incoming import Incoming

M_contra = TypeVar("M_contra", bound=Incoming, contravariant=True)


class Ledger(Protocol[M_contra]):
    """Where a record stands between fetch and commit; the transport's frontier implements it."""

    def begin(self, message: M_contra, /) -> bool:
        """Say that work on the record begins; False where its partition was taken away."""

    def abandon(self, message: M_contra, /) -> None:
        """Give a begun record back: nothing happened, and the partition's next owner gets it again."""

    def is_closing(self, message: M_contra, /) -> bool:
        """Tell whether the record's partition is being taken away."""

    def ack(self, message: M_contra, /) -> object:
        """Say that the record is done for good."""
