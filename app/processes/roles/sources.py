"""The sources' parts, and their app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents.reading import Around
from agents.sources import sources_agent
from app.adapters.kafka.transport import App
from app.domain.clock import utc_now
from app.execution.source_conversion import SourceConversion
from app.execution.source_parts import SourceParts
from app.processes.faust_app import AgentSpec
from app.processes.lifespan import Lifespan
from app.processes.roles.opening import open_sender
from app.processes.roles.role_app import role_app
from app.processes.vitals import Vitals
from app.services.delivery.dead_letters import DeadLetters
from app.services.delivery.sending import Delivery
from app.services.ingest.source_settings import load_sources
from app.services.ingest.sources import SourceTurner
from app.settings import Settings
from app.topics import Topics


def build(role: str, settings: Settings, vitals: Vitals, around: Around | None) -> App:
    """Build the sources; see ``app.processes.worker.build_role``."""
    del role
    parts = Lifespan(lambda: open_sources(settings))
    topics = {source.topic for source in load_sources(settings.sources, settings.topic_prefix)}

    agents = [AgentSpec("sources", tuple(sorted(topics)), sources_agent(parts.get, around))]
    return role_app(f"{settings.topic_prefix}sources", settings, vitals, agents, parts)


@asynccontextmanager
async def open_sources(settings: Settings) -> AsyncIterator[SourceParts]:
    """Open the sources."""
    topics = Topics(settings.topic_prefix)
    async with open_sender(settings, "sources") as sender:
        letters = DeadLetters(topics=topics, sender=sender, role="sources", clock=utc_now)
        configured = load_sources(settings.sources, settings.topic_prefix)
        turners = [SourceTurner(source, topics, settings.event_max_age_s) for source in configured]
        conversion, delivery = SourceConversion(turners, letters), Delivery(sender, letters)
        yield SourceParts(conversion=conversion, letters=letters, delivery=delivery)
