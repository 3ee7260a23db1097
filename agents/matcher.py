"""The matcher's agent: events are read in batches; each is acked when all that follows from it is durable."""

from agents.reading import Agent, Around, Opened, Source, announced, run_batches
from app.execution.guard import guarded_in_parts, lettered
from app.execution.matcher_parts import MatcherParts


def matcher_agent(opened: Opened[MatcherParts], around: Around | None) -> Agent:
    """Return the agent; ``opened`` gives its parts, ``around`` is told of each record before it is handled."""

    async def matcher(source: Source) -> None:
        made = await opened()
        # A changelog that was lost, or set back, is read to its end at once: what it lacks is not what does not match.
        await made.caught_up.wait()
        safe = guarded_in_parts(made.matcher.process, lettered(made.letters))
        await run_batches(source, announced(safe, around), made.delivery)

    return matcher
