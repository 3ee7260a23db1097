"""The sink's parts, and its app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents.reading import Around
from agents.sink import dead_letters_agent, executions_agent
from app.adapters.kafka.transport import App
from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.dead_letters import DeadLetterTable
from app.adapters.postgres.execution_log import ExecutionLog
from app.adapters.postgres.pool import open_pool
from app.adapters.postgres.shared_time import PostgresTime
from app.execution.log_writing import DeadLetterSink, Sink
from app.execution.sink_parts import SinkParts
from app.execution.tracing import RowTraces
from app.processes.faust_app import AgentSpec
from app.processes.lifespan import Lifespan
from app.processes.roles.opening import open_sender
from app.processes.roles.role_app import role_app
from app.processes.tracing import tracing
from app.processes.vitals import Vitals
from app.services.delivery.dead_letters import DeadLetters
from app.services.delivery.sending import Delivery
from app.services.operations.shared_clock import shared_clock
from app.settings import Settings
from app.topics import Topics


def build(role: str, settings: Settings, vitals: Vitals, around: Around | None) -> App:
    """Build the sink; see ``app.processes.worker.build_role``."""
    del role
    topics = Topics(settings.topic_prefix)
    parts = Lifespan(lambda: open_sink(settings))

    agents = [
        AgentSpec("executions", topics.executions, executions_agent(parts.get, around)),
        AgentSpec(
            "dead-letters", (topics.dead_letters, topics.listener_letters), dead_letters_agent(parts.get, around)
        ),
    ]
    return role_app(f"{topics.prefix}sink", settings, vitals, agents, parts)


@asynccontextmanager
async def open_sink(settings: Settings) -> AsyncIterator[SinkParts]:
    """Open the sink."""
    topics = Topics(settings.topic_prefix)
    async with (
        tracing(settings, "sink") as tracer,
        open_sender(settings, "sink") as sender,
        open_pool(settings, DatabaseRole.SINK) as pool,
        shared_clock(PostgresTime(pool)) as clock,
    ):
        letters = DeadLetters(topics=topics, sender=sender, role="sink", clock=clock.now)
        executions = Sink(ExecutionLog(pool), letters, RowTraces(tracer, f"{topics.prefix}sink"))
        dead_letters = DeadLetterSink(DeadLetterTable(pool), topics)
        delivery = Delivery(sender, letters)
        yield SinkParts(executions=executions, dead_letters=dead_letters, letters=letters, delivery=delivery)
