"""The ports: what services, actions and agents need from the outside, said in our own words.

Adapters implement them; tests pass fakes that hold to the same contract tests.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Record:
    """A record to produce; ``key`` decides the partition."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Sender(Protocol):
    """Produces records to Kafka.

    A record has a key or a value. Both methods raise ``UnreachableError`` where Kafka does not confirm (what was sent
    may or may not arrive) and ``InvalidError`` for a record over ``MAX_RECORD_BYTES``.
    """

    async def send(self, record: Record) -> None:
        """Produce one record; it is durable (acks=all) when this returns."""

    async def send_all(self, records: Sequence[Record]) -> None:
        """Produce records in the given order per partition; all are durable when this returns."""


@dataclass(frozen=True, slots=True)
class MailMessage:
    """One e-mail, rendered. Addresses are checked, headers hold no line breaks."""

    message_id: str
    sender: str
    to: Sequence[str]
    subject: str
    text: str
    html: str | None = None
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    reply_to: str | None = None


class Mailer(Protocol):
    """Hands e-mail to a mail server."""

    async def send(self, message: MailMessage, *, within: float) -> None:
        """Deliver to the server within ``within`` seconds.

        Raises:
            ActionFailedError: Refused (5yz: permanent; 4yz: not) or unreachable.
        """


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An outgoing HTTP request, rendered."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back; ``body`` is cut to the caller's limit, header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: str


class HttpClient(Protocol):
    """Sends HTTP requests to addresses that users name, guarded against reaching inside."""

    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        """Send and read at most ``body_limit`` bytes of the answer within ``within`` seconds.

        Raises:
            ActionFailedError: No connection, no answer in time (``effect_unknown``), or an address that is refused
                (permanent). An HTTP error status is an answer, not an exception.
        """


@dataclass(frozen=True, slots=True)
class TagRequest:
    """Put a tag on a customer."""

    customer_id: str
    tag: str


@dataclass(frozen=True, slots=True)
class NoteRequest:
    """Write a note on a customer. ``note_id`` is the command id: one command, one note."""

    note_id: UUID
    customer_id: str
    text: str


class Crm(Protocol):
    """The CRM: the built-in reference system, or the user's own.

    Methods take many requests, so that one statement can serve a batch; answers come in the same order.
    """

    async def apply_tags(self, requests: Sequence[TagRequest]) -> list[bool]:
        """Apply tags; True where the customer did not have the tag yet."""

    async def create_notes(self, requests: Sequence[NoteRequest]) -> None:
        """Write notes."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a command's receipt is made of.

    ``first`` marks an execution's first step, whose claim fixes the execution's version and ``matched_at``.
    """

    command_id: UUID
    execution_id: UUID
    version: int
    attempt: int
    matched_at: datetime
    first: bool
    parked: int = 0


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claim is ours: carry the effect out. ``uncertain``: an earlier claim was left unfinished."""

    matched_at: datetime
    uncertain: bool


@dataclass(frozen=True, slots=True)
class Done:
    """Carried out before: skip the effect, forward this result (the JSON of an ActionResult)."""

    matched_at: datetime
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else holds a live lease; ask again after ``retry_after`` seconds."""

    retry_after: float


@dataclass(frozen=True, slots=True)
class Dropped:
    """This copy must not run: ``reason`` is ``version``, ``attempt`` or ``parked``; count it, then ack."""

    reason: str


ClaimOutcome = Claimed | Done | Busy | Dropped
OwnEffect = Callable[[Crm, Sequence[int]], Awaitable[dict[int, dict[str, Any]]]]


class Receipts(Protocol):
    """Receipts of commands: what makes an effect happen once (DESIGN 4, idempotency)."""

    async def claim(self, claims: Sequence[Claim]) -> list[ClaimOutcome]:
        """Claim outside effects with a lease, one outcome per claim, in order.

        Raises:
            SupersededError: A newer incarnation of this instance runs.
        """

    async def finish(self, results: Sequence[tuple[UUID, dict[str, Any]]]) -> list[dict[str, Any]]:
        """Store results of commands this process holds; returns for each the result that counts.

        Who lost the lease meanwhile gets the stored result of who took it over, or its own where none is stored yet.
        """

    async def release(self, command_ids: Sequence[UUID], *, uncertain: bool) -> None:
        """Give claims back while no attempt is under way: the next claim succeeds at once.

        It is ``uncertain`` where an attempt was made whose effect may have happened.
        """

    async def apply(self, claims: Sequence[Claim], effect: OwnEffect) -> list[ClaimOutcome]:
        """Carry out effects on our own Postgres and store their results, all in one transaction.

        ``effect(crm, indexes)`` is called with the positions of those claims that were not carried out before and
        returns their results by position. The outcomes are ``Done`` (now or before) or ``Dropped``.

        Raises:
            psycopg.Error: Nothing of the batch happened.
        """
