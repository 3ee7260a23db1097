"""The sink's agents: executions and dead letters are read in batches; a batch is acked when its rows are committed."""

from agents.reading import Agent, Around, Opened, Source, announced, run_batches
from app.execution.guard import guarded, lettered
from app.execution.log_writing import stay_in_kafka
from app.execution.sink_parts import SinkParts


def executions_agent(opened: Opened[SinkParts], around: Around | None) -> Agent:
    """Return the agent of finished executions; ``around`` is told of each record before it is handled."""

    async def executions(source: Source) -> None:
        made = await opened()
        await run_batches(
            source, announced(guarded(made.executions.process, lettered(made.letters)), around), made.delivery
        )

    return executions


def dead_letters_agent(opened: Opened[SinkParts], around: Around | None) -> Agent:
    """Return the agent of dead letters; what it cannot store stays in Kafka alone."""

    async def dead_letters(source: Source) -> None:
        made = await opened()
        await run_batches(source, announced(guarded(made.dead_letters.process, stay_in_kafka), around), made.delivery)

    return dead_letters
