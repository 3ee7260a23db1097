"""The reference systems: the things they keep, as their rules work on them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from app.ports.crm import Cause, Crm

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing that a system keeps; names of tables and columns are ours, never a caller's.

    Attributes:
        name: The kind's name, for people.
        table: The table that holds its rows.
        key: The column of its id.
        columns: What is shown of it, ``id`` first.
        customer: What it is looked for by.
        status: An expression; None where it has no states.
        before: The states from which each state can be reached.
        stamps: The column that notes when a state was reached.
        json: Columns that come as JSON text.
    """

    name: str
    table: str
    key: str
    columns: str
    customer: str = "customer_id"
    status: str | None = "status"
    when: str = "created_at"
    before: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stamps: Mapping[str, str] = field(default_factory=dict)
    json: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which things to list, newest first: of whom, in which state, older than where the last page ended."""

    customer: str | None
    status: str | None
    at: datetime | None
    after: str | None
    limit: int


class Repository(Protocol):
    """The things of the reference systems, within one transaction."""

    @property
    def crm(self) -> Crm:
        """The CRM as actions work on it."""

    @property
    def cause(self) -> Cause | None:
        """What asks for the changes."""

    async def get(self, kind: Kind, thing_id: Any, *, lock: bool = False) -> Row:
        """Return one thing.

        Raises:
            NotFoundError: There is no such row.
        """

    async def find(self, kind: Kind, thing_id: Any, *, lock: bool = False) -> Row | None:
        """Return one thing, or None."""

    async def add(self, kind: Kind, values: Mapping[str, Any]) -> Row | None:
        """Store a thing; None where there is one of its id already, which is left as it is."""

    async def move(self, kind: Kind, thing_id: Any, to: str) -> tuple[Row, bool]:
        """Bring a thing into a state; returns it, and whether that changed anything.

        Raises:
            NotFoundError: There is no such row.
            ConflictError: The state cannot be reached from the one it is in.
        """

    async def page(self, kind: Kind, wanted: Wanted) -> list[Row]:
        """Return things, newest first."""

    async def customer(self, customer_id: str) -> Row:
        """Return a customer as events show them, known or not."""

    async def find_customers(self, words: str, limit: int) -> list[Row]:
        """Return customers whose id it is, or whose id, e-mail, name or last name begins so, in that order."""

    async def meet(self, customer_id: str) -> None:
        """Enter a customer who is not known yet, without an event."""

    async def add_customer(self, customer_id: str, profile: str, tags: Sequence[str]) -> bool:
        """Enter a customer with a profile (JSON) and tags; False where there is one of this id."""

    async def lock_customer(self, customer_id: str) -> None:
        """Keep others from changing a customer until the transaction ends."""

    async def forget_customer(self, customer_id: str) -> None:
        """Delete a customer with tags and notes."""

    async def finish_task(self, task_id: Any) -> bool:
        """Note when a task was done first; False where there is no such task."""

    async def forget_resolution(self, conversation_id: str) -> None:
        """Forget when a conversation was resolved."""

    async def set_rate(self, affiliate_id: str, rate: Decimal) -> None:
        """Make a customer a partner, or change a partner's rate."""

    async def of_order(self, kind: Kind, order_id: str) -> Row | None:
        """Return the thing of this kind that belongs to an order, or None."""

    async def announce(self, source: str, event_type: str, entity: str, data: Mapping[str, Any]) -> None:
        """Announce a change, in this transaction."""

    async def recall(self, key: str, request: bytes, body: bytes | None) -> tuple[int, Any] | None:
        """Return what a request under this key was answered; None where it is the first one, which is noted.

        Who asks at the same time waits here for the first to end.

        Args:
            key: The caller's own.
            request: What says which operation it is, of which thing.
            body: What it is asked with; None where nothing is read.

        Raises:
            KeyReusedError: The key was used for another request.
        """

    async def remember(self, key: str, status: int, answer: Any) -> None:
        """Keep what the first request under this key was answered."""


class Systems(Protocol):
    """The reference systems of one installation."""

    def open(self, cause: Cause | None) -> AbstractAsyncContextManager[Repository]:
        """Work within one transaction; it commits unless the block raises."""
