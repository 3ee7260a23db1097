"""The matcher's parts, and its app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents.matcher import matcher_agent
from agents.reading import Around
from app.actions.registry import REGISTRY
from app.adapters.kafka.pacing import GATHERING
from app.adapters.kafka.transport import App
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.entries import PostgresEntries
from app.adapters.postgres.pool import open_pool
from app.adapters.postgres.shared_time import PostgresTime
from app.adapters.postgres.workflow_versions import PostgresVersions
from app.domain.loops import RunBudget
from app.execution.matcher_parts import MatcherParts
from app.execution.matching import Matcher
from app.execution.routing import Router
from app.processes.faust_app import AgentSpec, Tuning
from app.processes.lifespan import Lifespan
from app.processes.quotas import execution_quota
from app.processes.roles.opening import open_sender
from app.processes.roles.role_app import role_app
from app.processes.tracing import tracing
from app.processes.vitals import Vitals
from app.services.delivery.dead_letters import DeadLetters
from app.services.delivery.sending import Delivery
from app.services.operations.background import running_beside
from app.services.operations.shared_clock import shared_clock
from app.services.operations.table_check import TableAge, TableCheck
from app.services.workflows.index import WorkflowIndex
from app.settings import Settings
from app.topics import Topics
from tables.workflows import build_workflow_table


def build(role: str, settings: Settings, vitals: Vitals, around: Around | None) -> App:
    """Build the matcher; see ``app.processes.worker.build_role``."""
    del role
    topics = Topics(settings.topic_prefix)
    index, age = WorkflowIndex(), TableAge(settings.workflow_check_s)
    parts = Lifespan(lambda: open_matcher(settings, index, age))
    vitals.health.watch("table", age.probe)

    return role_app(
        topics.matcher_app,
        settings,
        vitals,
        [AgentSpec("matcher", tuple(topics.all_events()), matcher_agent(parts.get, around))],
        parts,
        tables=[lambda app: build_workflow_table(app, index)],
        tuning=Tuning(fetch_gap=GATHERING),
    )


@asynccontextmanager
async def open_matcher(settings: Settings, index: WorkflowIndex, age: TableAge) -> AsyncIterator[MatcherParts]:
    """Open the matcher; ``index`` is what the workflow table feeds, ``age`` how old that is."""
    topics = Topics(settings.topic_prefix)
    async with (
        tracing(settings, "matcher") as tracer,
        open_sender(settings, "matcher") as sender,
        open_pool(settings, DatabaseRole.MATCHER) as pool,
        shared_clock(PostgresTime(pool)) as clock,
    ):
        check = TableCheck(index, PostgresVersions(pool), age=age, every_s=settings.workflow_check_s)
        router = Router(topics, frozenset(REGISTRY.names()), now=clock.now)
        letters = DeadLetters(topics=topics, sender=sender, role="matcher", clock=clock.now)
        matcher = Matcher(
            index=index,
            router=router,
            dead_letters=letters,
            topics=topics,
            max_age=settings.event_max_age_s,
            clock=clock.now,
            budget=RunBudget(settings.run_budget, settings.run_budget_window_s),
            entries=PostgresEntries(pool),
            quota=execution_quota(settings, topics, pool),
            tracer=tracer,
        )
        async with running_beside("table_check", check.run):
            delivery = Delivery(sender, letters, router.refused)
            yield MatcherParts(matcher=matcher, letters=letters, delivery=delivery, caught_up=check.caught_up)
