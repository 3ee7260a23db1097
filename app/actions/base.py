"""What an action type is: its config model, and its effect over ports.

Three kinds, by where the effect happens, because that decides how it happens once (docs/design.md#4-receipts):

- ``LeasedAction``: outside our Postgres (HTTP, SMTP). The executor claims with a lease, tries, and stores the result.
- ``TransactionalAction``: in our own Postgres. Effect and receipt are one transaction: exactly once, many commands a
  statement.
- ``ControlAction``: on the execution itself. The executor carries the decision out.

Each has a pure ``prepare`` that renders the config's templates and checks what came out, so that a bad value is found
before anything happens. What all actions share (claim, attempts, receipt, forward) stands once, in the executor.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationInfo

from app.actions.families import Family
from app.domain.callers import NOBODY
from app.domain.causation import Link, extend_chain
from app.domain.clock import utc_now
from app.domain.grants import Use
from app.domain.needs import Need
from app.domain.redaction import NOTHING, Redactor, redactor_of
from app.domain.trace_context import TraceContext
from app.ports import (
    Crm,
    HttpClient,
    Inbox,
    Mailer,
    Notifier,
    Origin,
    Secrets,
    SecretUseNotes,
    TwilioAccount,
    WhatsAppAccount,
)
from schemas.message_template import MessageKind

NO_USE: Final = Use(NOBODY, NOBODY)
NO_LINK: Final = Link(NOBODY, NOBODY)


class ActionConfig(BaseModel):
    """What a user writes in an action's ``config``; an unknown key is a mistake they want to hear of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def named_secrets(self) -> frozenset[str]:
        """Secrets that fields name outright, and not in a template."""
        return frozenset()


STORED: Final = {"stored": True}


def is_stored(info: ValidationInfo) -> bool:
    """Tell whether a config is read from a revision that was saved, by rules that may have been others."""
    return info.context == STORED


C = TypeVar("C", bound=ActionConfig)
C_co = TypeVar("C_co", bound=ActionConfig, covariant=True)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What one command brings to its action.

    Attributes:
        effect_id: The same on every copy and attempt of the step, one that a person asked for too: Idempotency-Key,
            Message-ID, note id.
        scope: What templates see: the event's data by its own names, ``event`` (the whole CloudEvent), ``results``
            (of the steps before), ``workflow`` and ``execution``, and ``current`` where the step asks for it. Plain
            JSON values.
        uncertain: An earlier claim was left unfinished: the effect may have happened already.
        timeout: Seconds one attempt may take.
        secrets: The values of those that the config uses, by name; in ``scope`` too. Nothing may keep them.
        hosts: Where each of them may go that may not go everywhere, by name.
        use: The workflow, and whose it is.
        link: The execution of that workflow.
        own_entity: Whom the event is about; None where the owner may have chosen that.
        trace: The trace that an attempt belongs to, for who is asked.
        now: The time of day.
    """

    effect_id: UUID
    scope: Mapping[str, Any]
    uncertain: bool
    timeout: float
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    hosts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    use: Use = NO_USE
    link: Link = NO_LINK
    own_entity: str | None = None
    trace: TraceContext | None = None
    now: Callable[[], datetime] = utc_now

    @property
    def redact(self) -> Redactor:
        """What blots the secrets out."""
        return redactor_of(frozenset(self.secrets.values())) if self.secrets else NOTHING

    @property
    def origin(self) -> Origin:
        """What a change says of where it comes from; see :class:`app.ports.Origin`."""
        return Origin(self.effect_id, self.link, self.scope["event"].get("causation"))

    @property
    def causation(self) -> str:
        """The chain that what this command sets off carries on: the event's, and this execution."""
        link = f"{self.scope['workflow']['id']}/{self.scope['execution']['id']}"
        return extend_chain(self.scope["event"].get("causation"), link)

    @property
    def within(self) -> float:
        """Seconds to give an adapter: a little less, for its verdict on what was lost knows more than a timeout's."""
        return self.timeout * 0.98


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world, for outside actions.

    Attributes:
        mail_from: Sender of every e-mail, as ``Name <address>``.
        sms: Where text messages are sent; None where it is not set up.
        whatsapp: Where WhatsApp messages are sent; None where it is not set up.
        secrets: What configs use as ``{{ secrets.NAME }}``; None where secrets are not set up.
        secret_uses: Is told which workflow was given which secrets; None where nobody asks.
        notifier: Sends to channels; None in a process that sends nothing.
        inbox: Holds users' notifications; None likewise.
    """

    http: HttpClient
    mail: Mailer
    mail_from: str
    sms: TwilioAccount | None = None
    whatsapp: WhatsAppAccount | None = None
    secrets: Secrets | None = None
    secret_uses: SecretUseNotes | None = None
    notifier: Notifier | None = None
    inbox: Inbox | None = None


class CompiledConfig(Protocol[C_co]):
    """A config, validated, with its templates compiled: once per revision (``app.actions.configs``)."""

    @property
    def config(self) -> C_co:
        """The config as it was written; templated fields hold their sources."""

    @property
    def current(self) -> frozenset[str]:
        """Which members of ``current`` its templates look at."""

    @property
    def secrets(self) -> frozenset[str]:
        """Names of the secrets that it uses."""

    @property
    def results(self) -> bool:
        """Whether its templates may look at what the steps before came to."""

    @property
    def weight(self) -> int:
        """About how many bytes its templates take."""

    def place_of(self, secret: str) -> str:
        """Return the path of a field that uses a secret."""

    def render(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        """Return the templated fields by name, rendered; a field that was left ``None`` is ``None``.

        Raises:
            CostlyError: They take more CPU than one step may; names the field.
            ActionFailedError: Permanent; names the field and what is wrong in it.
        """


@dataclass(frozen=True, slots=True)
class MessageTextSpec:
    """How a message template can give an action its words.

    Attributes:
        kind: The kind of templates that it can use.
        parts: The part of the template that stands in for a field of the config, by field.
        example: What a config needs beside its words to be a valid one.
    """

    kind: MessageKind
    parts: Mapping[str, str]
    example: Mapping[str, Any] = field(default_factory=dict)


class _Action(ABC, Generic[C]):
    # Whether configs may use secrets: not where what they become is kept by us, in the clear.
    takes_secrets: ClassVar[bool] = False
    name: ClassVar[str]
    family: ClassVar[Family]
    config: type[C]
    message_text: ClassVar[MessageTextSpec | None] = None

    def needs(self, request: Any, context: ActionContext) -> Need | None:  # noqa: ARG002 - most need nothing
        """Return what a rendered request needs of the workflow's owner; None: nothing, and no right is looked up."""
        return None


class LeasedAction(_Action[C], Generic[C, R]):
    """An action whose effect happens outside our Postgres.

    Attributes:
        at_once: Most commands of one lane to carry out at once, where the other side bears only so many connections;
            None leaves it to QUEUE_CONCURRENCY. What waits for its turn must wait before its attempt, not within.
        many_destinations: Its commands go to several destinations, which share a lane's slots.
        keeps_time: What it asks ends in time by itself, as that port promises: an attempt needs no other timeout.
    """

    at_once: ClassVar[int | None] = None
    many_destinations: ClassVar[bool] = False
    keeps_time: ClassVar[bool] = False

    @abstractmethod
    def prepare(self, config: CompiledConfig[C], context: ActionContext) -> R:
        """Render and check; no I/O.

        Raises:
            ActionFailedError: Permanent; names the field.
        """

    def destination(self, request: R) -> str:  # noqa: ARG002 - for those that have many
        """Return where a request goes: what has a circuit breaker of its own. For people, too; it holds no secret."""
        return self.name

    def repeatable(self, request: R) -> bool:  # noqa: ARG002 - for those that know
        """Tell whether a request that is made twice has its effect once, so that nothing is uncertain about it."""
        return False

    @abstractmethod
    async def perform(self, request: R, ports: Ports, context: ActionContext) -> dict[str, Any]:
        """Make one attempt, within ``context.timeout``, and return the output: JSON, at most 4 KiB.

        Raises:
            ActionFailedError: ``permanent``, ``retry_after`` and ``effect_unknown`` say what may follow.
        """


class TransactionalAction(_Action[C], Generic[C, R]):
    """An action whose effect happens in our own Postgres."""

    @abstractmethod
    def prepare(self, config: CompiledConfig[C], context: ActionContext) -> R:
        """Render and check; no I/O.

        Raises:
            ActionFailedError: Permanent; names the field.
        """

    @abstractmethod
    async def perform_all(self, requests: Sequence[R], crm: Crm) -> list[dict[str, Any]]:
        """Carry out a batch in the caller's transaction; return one output per request, in order.

        Duplicates within the batch come out as if the requests had been carried out one after the other.
        """


@dataclass(frozen=True, slots=True)
class StopRequest:
    """End the execution here; the steps that remain are skipped."""

    reason: str


@dataclass(frozen=True, slots=True)
class DelayRequest:
    """Go on at ``until``; at once where that has passed."""

    until: datetime


class ControlAction(_Action[C]):
    """An action on the execution itself, carried out by the executor."""

    @abstractmethod
    def prepare(self, config: CompiledConfig[C], context: ActionContext) -> StopRequest | DelayRequest:
        """Render and check; no I/O.

        Raises:
            ActionFailedError: Permanent; names the field.
        """


AnyAction = LeasedAction[Any, Any] | TransactionalAction[Any, Any] | ControlAction[Any]
