"""The sources' agent: other systems' records are read in batches; a batch is acked when its events are durable."""

from agents.reading import Agent, Around, Opened, Source, announced, run_batches
from app.execution.guard import guarded, lettered
from app.execution.source_parts import SourceParts


def sources_agent(opened: Opened[SourceParts], around: Around | None) -> Agent:
    """Return the agent; ``opened`` gives its parts, ``around`` is told of each record before it is handled."""

    async def sources(source: Source) -> None:
        made = await opened()
        await run_batches(
            source, announced(guarded(made.conversion.process, lettered(made.letters)), around), made.delivery
        )

    return sources
