"""From an action type to the executor that carries it out; processes and tests make executors here alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.actions.base import AnyAction, LeasedAction, Ports
from app.domain.penalties import Penalties
from app.domain.retry import RetryPolicy
from app.execution.breakers import Breakers
from app.execution.current_values import Current
from app.execution.holding import Holding
from app.execution.leased import LeasedExecutor
from app.execution.preparation import Preparer
from app.execution.routing import Router
from app.execution.timing import REAL_TIME, Timing
from app.execution.tracing import NO_TRACING, StepTraces
from app.execution.transactional import TransactionalExecutor
from app.ports import OwnerRights, Receipts, Sender
from app.ports.tracing import Tracer
from app.services.delivery.dead_letters import DeadLetters
from app.services.messages.message_text import TemplateTexts

Executor = TransactionalExecutor | LeasedExecutor


@dataclass(frozen=True, slots=True)
class Shared:
    """What all executors of a process share.

    Attributes:
        current: Looks up what steps read of customers and orders.
        rights: Knows what owners may do.
        receipts: Holds what is done.
        router: Sends slips on their way.
        holding: Holds back steps of owners who are over their share of CPU.
        dead_letters: Takes records that are no commands.
        timeout: Seconds that an attempt may take.
        clock: The time.
        tracer: Records spans.
        group: The role's consumer group, which spans name.
    """

    current: Current
    rights: OwnerRights
    receipts: Receipts
    router: Router
    holding: Holding
    dead_letters: DeadLetters
    timeout: float
    clock: Callable[[], datetime]
    tracer: Tracer = NO_TRACING
    group: str = ""


@dataclass(frozen=True, slots=True)
class LeasedOnly:
    """What effects outside our Postgres need beside it.

    Attributes:
        ports: The world outside.
        sender: Sends slips.
        breakers: The circuit breakers of destinations.
        template_texts: The texts of message templates.
        policy: How often and when attempts are repeated.
        lease: Seconds for which a claim holds.
        timing: The clock of attempts, and their sleep.
    """

    ports: Ports
    sender: Sender
    breakers: Breakers
    template_texts: TemplateTexts
    policy: RetryPolicy
    lease: float
    timing: Timing = REAL_TIME


def executor_of(action: AnyAction, shared: Shared, leased: LeasedOnly) -> Executor:
    """Return what carries out the commands of an action type."""
    traces = StepTraces(shared.tracer, action.name, shared.group)
    preparer = Preparer(action, timeout=shared.timeout, clock=shared.clock, penalties=Penalties())
    if not isinstance(action, LeasedAction):
        return TransactionalExecutor(
            action=action,
            preparer=preparer,
            current=shared.current,
            rights=shared.rights,
            receipts=shared.receipts,
            router=shared.router,
            holding=shared.holding,
            dead_letters=shared.dead_letters,
            traces=traces,
        )
    return LeasedExecutor(
        action=action,
        preparer=preparer,
        current=shared.current,
        rights=shared.rights,
        receipts=shared.receipts,
        router=shared.router,
        holding=shared.holding,
        dead_letters=shared.dead_letters,
        ports=leased.ports,
        sender=leased.sender,
        breakers=leased.breakers,
        template_texts=leased.template_texts,
        policy=leased.policy,
        lease=leased.lease,
        timing=leased.timing,
        traces=traces,
    )
