"""An executor's parts, and its app: one for each family of action types."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from agents.executor import lane_agent, over_quota_agent
from agents.reading import Around
from app.actions.base import AnyAction, LeasedAction, Ports
from app.actions.families import FAMILIES, Family
from app.actions.registry import REGISTRY
from app.adapters.kafka.transport import App
from app.adapters.postgres.breakers import PostgresBreakers
from app.adapters.postgres.crm import PostgresCrm
from app.adapters.postgres.crm_reads import PostgresReads
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.message_texts import PostgresTexts
from app.adapters.postgres.pool import Pool, open_pool
from app.adapters.postgres.receipts import PostgresReceipts
from app.adapters.postgres.rights import PostgresCallers
from app.adapters.postgres.shared_time import PostgresTime
from app.execution.breakers import Breakers
from app.execution.current_values import Current
from app.execution.executor_parts import ExecutorParts
from app.execution.executors import LeasedOnly, Shared, executor_of
from app.execution.routing import Router
from app.execution.timing import Timing
from app.ports import Sender
from app.processes.crm_choice import on_the_crm, reads_of
from app.processes.faust_app import AgentSpec
from app.processes.lifespan import Lifespan
from app.processes.policies import breaker_policy, retry_policy
from app.processes.quotas import parker, step_holding
from app.processes.roles.opening import open_sender
from app.processes.roles.outside import action_ports, trusted_client
from app.processes.roles.role_app import role_app
from app.processes.tracing import tracing
from app.processes.vitals import Vitals
from app.services.access.owner_rights import RecentRights
from app.services.delivery.dead_letters import DeadLetters
from app.services.delivery.sending import Delivery
from app.services.messages.message_text import RecentTexts, TemplateTexts
from app.services.operations.background import running_beside
from app.services.operations.shared_clock import SharedClock, shared_clock
from app.settings import Settings
from app.topics import LANES, OVER_QUOTA_ROLE, Topics

MAX_SLOTS: Final = 512


def build(role: str, settings: Settings, vitals: Vitals, around: Around | None) -> App:
    """Build the executor of a family; see ``app.processes.worker.build_role``."""
    topics = Topics(settings.topic_prefix)
    family: Family = next(name for name in FAMILIES if role == f"executor-{name}")
    parts = Lifespan(lambda: open_executor(role, family, settings))
    agents = [
        AgentSpec(
            f"{action.name}-{lane}",
            topics.actions(action.name, lane),
            lane_agent(action.name, parts.get, slots=lane_slots(action, settings), around=around),
        )
        for action in REGISTRY.of_family(family)
        for lane in LANES
    ]
    if role == OVER_QUOTA_ROLE:
        agents.append(AgentSpec("over-quota", topics.over_quota, over_quota_agent(parts.get, around)))
    return role_app(f"{topics.prefix}{role}", settings, vitals, agents, parts)


def lane_slots(action: AnyAction, settings: Settings) -> int:
    """Return how many commands of one lane a worker carries out at once: QUEUE_CONCURRENCY for each partition."""
    most = (action.at_once if isinstance(action, LeasedAction) else None) or MAX_SLOTS
    return min(settings.queue_concurrency * settings.actions_partitions, most)


@asynccontextmanager
async def following_breakers(role: str, settings: Settings, pool: Pool) -> AsyncIterator[Breakers]:
    """Open the worker's circuit breakers, which follow those of the other workers."""
    url = settings.database_url.get_secret_value()
    breakers = Breakers(PostgresBreakers(pool, url, name=f"headrace breakers {role}"), breaker_policy(settings))
    async with running_beside("breakers", breakers.run):
        yield breakers


@asynccontextmanager
async def open_executor(role: str, family: Family, settings: Settings) -> AsyncIterator[ExecutorParts]:
    """Open the executors of one family; they share the process's pool, sender and clients."""
    topics = Topics(settings.topic_prefix)
    async with AsyncExitStack() as stack:
        tracer = await stack.enter_async_context(tracing(settings, role))
        sender = await stack.enter_async_context(open_sender(settings, role))
        pool = await stack.enter_async_context(open_pool(settings, DatabaseRole.EXECUTOR))
        clock = await stack.enter_async_context(shared_clock(PostgresTime(pool)))
        receipts = PostgresReceipts(
            pool,
            f"{settings.topic_prefix}{role}/{settings.instance}",
            settings.lease,
            partial(PostgresCrm, topics=topics),
        )
        await receipts.start()
        trusted = await stack.enter_async_context(trusted_client(family, settings))
        built_in = PostgresReads(pool.connection, partial(PostgresCrm, topics=topics), patient=True)
        breakers = await stack.enter_async_context(following_breakers(role, settings, pool))
        reads = reads_of(settings, trusted, built_in, breakers)
        router = Router(topics, frozenset(REGISTRY.names()), now=clock.now)
        letters = DeadLetters(topics=topics, sender=sender, role=role, clock=clock.now)
        shared = Shared(
            current=Current(reads, retry_policy(settings), timeout=settings.action_timeout),
            rights=RecentRights(PostgresCallers(pool.connection, patient=True), settings.everybodys_permissions),
            receipts=receipts,
            router=router,
            holding=step_holding(pool, router, clock.now),
            dead_letters=letters,
            timeout=settings.action_timeout,
            clock=clock.now,
            tracer=tracer,
            group=f"{topics.prefix}{role}",
        )
        ports = await stack.enter_async_context(action_ports(family, settings, pool, trusted))
        leased = _leased_only(settings, pool, ports, sender, breakers, clock=clock)
        actions = [on_the_crm(action, settings, trusted) for action in REGISTRY.of_family(family)]
        made = {action.name: executor_of(action, shared, leased) for action in actions}
        waiting = parker(pool, topics, REGISTRY.names(), letters)
        delivery = Delivery(sender, letters, router.refused)
        yield ExecutorParts(executors=made, parker=waiting, letters=letters, delivery=delivery)


def _leased_only(
    settings: Settings, pool: Pool, ports: Ports, sender: Sender, breakers: Breakers, *, clock: SharedClock
) -> LeasedOnly:
    return LeasedOnly(
        ports,
        sender,
        breakers,
        TemplateTexts(RecentTexts(PostgresTexts(pool.connection, patient=True))),
        policy=retry_policy(settings),
        lease=settings.lease.total_seconds(),
        timing=Timing(now=clock.now),
    )
